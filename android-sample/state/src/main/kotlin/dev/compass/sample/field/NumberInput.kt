package dev.compass.sample.field

import java.math.BigDecimal
import java.text.DecimalFormatSymbols
import java.util.Locale

/** Numbers as people of a locale type them; the core reads the digits of every script, and a comma. */
class NumberInput(locale: Locale) {
    private val symbols = DecimalFormatSymbols.getInstance(locale)
    private val point = symbols.decimalSeparator

    /** What a line for a number takes: the digits of the locale and those of ASCII, either point, and a minus. */
    val characters: String = (0 until DECIMAL).joinToString("") { "$it${symbols.zeroDigit + it}" } + "$point.-"

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
