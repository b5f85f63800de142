package dev.compass.sample.field

import java.math.BigDecimal
import java.text.DecimalFormatSymbols
import java.util.Locale

/** Between the digits that people of a locale type and those that the core reads. */
class NumberInput(locale: Locale) {
    private val point = DecimalFormatSymbols.getInstance(locale).decimalSeparator

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

    /** A number as it is typed. */
    fun typed(number: BigDecimal): String = number.toPlainString().replace('.', point)

    private companion object {
        const val DECIMAL = 10
    }
}
