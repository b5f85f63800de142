package dev.compass.sample.text

import java.math.BigDecimal
import java.text.NumberFormat
import java.time.Instant
import java.time.LocalDate
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.time.format.DecimalStyle
import java.time.format.FormatStyle
import java.util.Locale

/** The messages of a language: what an app has in its resources. */
interface Messages {
    /** The message of this id with these arguments. */
    fun message(id: TextId, args: List<String>): String

    /** The message of this id for [count], in the right plural. [args] begins with the count in the digits of the locale. */
    fun count(id: CountId, count: Int, args: List<String>): String
}

/** Numbers, dates and times as a locale writes them, in the time of [zone]. */
class Formats(val locale: Locale, val zone: ZoneId) {
    private val style = DecimalStyle.of(locale)

    /** With all digits after the point that there are, and no other. */
    fun number(value: BigDecimal): String = NumberFormat.getNumberInstance(locale).run {
        isGroupingUsed = false
        minimumFractionDigits = value.scale().coerceAtLeast(0)
        maximumFractionDigits = value.scale().coerceAtLeast(0)
        format(value)
    }

    /** A date. */
    fun day(value: LocalDate): String = DateTimeFormatter.ofLocalizedDate(FormatStyle.MEDIUM).local().format(value)

    /** A time of day. */
    fun time(value: LocalTime): String = DateTimeFormatter.ofLocalizedTime(FormatStyle.SHORT).local().format(value)

    /** A moment in the time of the phone. */
    fun moment(value: Instant): String = dateTime().format(value.atZone(zone))

    /** A moment in the time it was entered in, with the offset. */
    fun offsetMoment(value: OffsetDateTime): String = "${dateTime().format(value)} ${value.offset}"

    private fun dateTime() = DateTimeFormatter.ofLocalizedDateTime(FormatStyle.MEDIUM, FormatStyle.SHORT).local()

    // The formatter has a locale of its own, which is not meant.
    private fun DateTimeFormatter.local() = withLocale(this@Formats.locale).withDecimalStyle(style)
}

/**
 * Makes strings of texts.
 *
 * ```kotlin
 * val texts = Texts(Formats(locale, ZoneId.systemDefault()), resourceMessages)
 * heading.text = texts[state.title]
 * ```
 */
class Texts(private val formats: Formats, private val messages: Messages) {
    /** The text in the language. */
    operator fun get(text: Text): String = when (text) {
        is Text.Plain -> text.words
        is Text.Message -> messages.message(text.id, text.args.map(::get))
        is Text.Count -> {
            val count = formats.number(BigDecimal(text.count))
            messages.count(text.id, text.count, listOf(count) + text.args.map(::get))
        }
        is Text.Number -> formats.number(text.value)
        is Text.Day -> formats.day(text.value)
        is Text.TimeOfDay -> formats.time(text.value)
        is Text.Moment -> formats.moment(text.value)
        is Text.OffsetMoment -> formats.offsetMoment(text.value)
        is Text.Several -> text.items.joinToString(", ") { get(it) }
    }
}
