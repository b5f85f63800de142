package dev.compass.sample.text

import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate
import java.time.LocalTime
import java.time.OffsetDateTime

/**
 * Something to read on a screen, before it is in a language: what screens hold instead of strings.
 *
 * ```kotlin
 * Text.Count(CountId.SAVED_WILL_SEND, 3)
 * Text.Message(TextId.STARTED_AT, listOf(Text.Moment(session.startedAt)))
 * ```
 *
 * [Texts] makes it a string for a locale.
 */
sealed interface Text {
    /** Words of a person or of a workflow, shown as they are. */
    data class Plain(val words: String) : Text

    /** A message of the app; [args] fill its places in order. */
    data class Message(val id: TextId, val args: List<Text> = emptyList()) : Text

    /** A message of the app whose words depend on a number. [count] is its first argument, [args] are the others. */
    data class Count(val id: CountId, val count: Int, val args: List<Text> = emptyList()) : Text

    /** A number, in the digits of the locale; decimals as they were entered. */
    data class Number(val value: BigDecimal) : Text

    /** A calendar date. */
    data class Day(val value: LocalDate) : Text

    /** A time of day. */
    data class TimeOfDay(val value: LocalTime) : Text

    /** A moment with the offset a person entered; shown with it. */
    data class OffsetMoment(val value: OffsetDateTime) : Text

    /** A moment, shown in the time of the phone. */
    data class Moment(val value: Instant) : Text

    /** Several, one after the other, as a list is written. */
    data class Several(val items: List<Text>) : Text
}

/** A message without arguments. */
fun text(id: TextId): Text = Text.Message(id)

/** A message with words, numbers or other texts in its places. */
fun text(id: TextId, vararg args: Text): Text = Text.Message(id, args.asList())
