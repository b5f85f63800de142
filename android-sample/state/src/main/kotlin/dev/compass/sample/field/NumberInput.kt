package dev.compass.sample.field

import java.math.BigDecimal
import java.text.DecimalFormatSymbols
import java.util.Locale

/** Between the digits that people of a locale type and those that the core reads. */
class NumberInput(locale: Locale) {
    private val symbols = DecimalFormatSymbols.getInstance(locale)
    private val point = symbols.decimalSeparator

    /** What a line for a number takes: the digits of the locale and those of ASCII, either point, and a minus. */
    val characters: String = (0 until DECIMAL).joinToString("") { "$it${symbols.zeroDigit + it}" } + "$point.-"

    /** What was typed, with ASCII digits and a point. What is no number stays none, for the core to refuse. */
    fun toCore(typed: String): String = buildString {
        for (character in typed.trim()) {
            val digit = Character.digit(character, DECIMAL)
            when {
                digit >= 0 -> append(digit)
                character == point -> append('.')
                else -> append(character)
            }
        }
    }

    /** A number as it is typed, in the digits that every other number is shown in. */
    fun typed(number: BigDecimal): String = number.toPlainString().map { character ->
        when (character) {
            '.' -> point
            in '0'..'9' -> symbols.zeroDigit + (character - '0')
            else -> character
        }
    }.joinToString("")

    private companion object {
        const val DECIMAL = 10
    }
}
