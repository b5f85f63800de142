package dev.compass.sample.text

import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldKind
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.Finding
import dev.compass.core.model.Problem
import dev.compass.core.model.ResponseKind
import dev.compass.core.model.SessionState
import dev.compass.core.model.Workflow
import dev.compass.sample.field.options
import java.math.BigDecimal
import java.time.LocalDate
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.format.DateTimeParseException

// The core speaks in codes; these are the words for them. Codes are open sets: an unknown one is shown as it is.

/** What a field holds. */
fun FieldState.words(definition: FieldDefinition?): Text = when (this) {
    // What was redacted has no words yet.
    FieldState.NotProvided, FieldState.Redacted -> text(TextId.NOT_PROVIDED)
    FieldState.Empty -> text(TextId.EMPTY)
    FieldState.NotApplicable -> text(TextId.NOT_APPLICABLE)
    is FieldState.Provided -> value.words(definition)
}

/** A value, with the names of its options where [definition] has them. */
fun FieldValue.words(definition: FieldDefinition?): Text = when (this) {
    is FieldValue.Text -> Text.Plain(value)
    is FieldValue.Integer -> Text.Number(BigDecimal(value))
    is FieldValue.Decimal -> Text.Number(value)
    is FieldValue.Boolean -> text(if (value) TextId.YES else TextId.NO)
    is FieldValue.Date -> Text.Day(value)
    is FieldValue.Time -> Text.TimeOfDay(value)
    is FieldValue.DateTime -> Text.OffsetMoment(value)
    is FieldValue.Choice -> Text.Plain(definition.option(value))
    is FieldValue.Choices -> Text.Several(value.map { Text.Plain(definition.option(it)) })
    is FieldValue.Location -> {
        val (latitude, longitude, accuracy) = value
        if (accuracy == null) {
            text(TextId.LOCATION_VALUE, Text.Number(latitude), Text.Number(longitude))
        } else {
            text(TextId.LOCATION_VALUE_ACCURACY, Text.Number(latitude), Text.Number(longitude), Text.Number(accuracy))
        }
    }
    is FieldValue.File -> text(TextId.FILE_VALUE, Text.Plain(value.name), Text.Count(CountId.KILOBYTES, kilobytes(value.size)))
}

private const val KILOBYTE = 1024L

private fun kilobytes(bytes: Long): Int = ((bytes + KILOBYTE - 1) / KILOBYTE).coerceAtMost(Int.MAX_VALUE.toLong()).toInt()

private fun FieldDefinition?.option(key: String): String = this?.kind?.options?.firstOrNull { it.key == key }?.name ?: key

/** What is wrong with a field. */
fun Problem.words(definition: FieldDefinition?): Text {
    val id = when (code) {
        "required" -> TextId.PROBLEM_REQUIRED
        "bad_format" -> definition?.kind.badFormat()
        "too_small" -> TextId.PROBLEM_TOO_SMALL
        "too_large" -> TextId.PROBLEM_TOO_LARGE
        "too_many_decimal_places" -> TextId.PROBLEM_DECIMAL_PLACES
        "too_early" -> TextId.PROBLEM_TOO_EARLY
        "too_late" -> TextId.PROBLEM_TOO_LATE
        "too_short" -> TextId.PROBLEM_TOO_SHORT
        "too_long" -> TextId.PROBLEM_TOO_LONG
        "pattern" -> TextId.PROBLEM_PATTERN
        "control_character", "line_break" -> TextId.PROBLEM_CHARACTERS
        "too_few" -> TextId.PROBLEM_TOO_FEW
        "too_many" -> TextId.PROBLEM_TOO_MANY
        "not_an_option", "duplicate_option" -> TextId.PROBLEM_NOT_AN_OPTION
        "too_inaccurate" -> TextId.PROBLEM_ACCURACY
        "file_too_large" -> TextId.PROBLEM_FILE_TOO_LARGE
        "media_type_not_accepted" -> TextId.PROBLEM_FILE_TYPE
        "not_applicable_not_allowed" -> TextId.PROBLEM_NOT_APPLICABLE
        else -> TextId.PROBLEM_OTHER
    }
    return when (id) {
        TextId.PROBLEM_OTHER -> text(id, Text.Plain(code))
        in WITH_LIMIT -> text(id, bound(limit.orEmpty()))
        else -> text(id)
    }
}

private val WITH_LIMIT = setOf(
    TextId.PROBLEM_TOO_SMALL, TextId.PROBLEM_TOO_LARGE, TextId.PROBLEM_DECIMAL_PLACES, TextId.PROBLEM_TOO_EARLY, TextId.PROBLEM_TOO_LATE,
    TextId.PROBLEM_TOO_SHORT, TextId.PROBLEM_TOO_LONG, TextId.PROBLEM_TOO_FEW, TextId.PROBLEM_TOO_MANY, TextId.PROBLEM_ACCURACY,
)

private fun FieldKind?.badFormat(): TextId = when (this) {
    is FieldKind.Integer, is FieldKind.Decimal -> TextId.PROBLEM_NOT_A_NUMBER
    is FieldKind.Date, is FieldKind.DateTime -> TextId.PROBLEM_NOT_A_DATE
    is FieldKind.Time -> TextId.PROBLEM_NOT_A_TIME
    is FieldKind.Email -> TextId.PROBLEM_EMAIL
    is FieldKind.Phone -> TextId.PROBLEM_PHONE
    is FieldKind.Url -> TextId.PROBLEM_URL
    else -> TextId.PROBLEM_PATTERN
}

/** A bound, as the workflow writes it, so that it can be shown in the form of the locale. */
private fun bound(limit: String): Text =
    limit.toBigDecimalOrNull()?.let { Text.Number(it) }
        ?: parsed { Text.Day(LocalDate.parse(limit)) }
        ?: parsed { Text.TimeOfDay(LocalTime.parse(limit)) }
        ?: parsed { Text.OffsetMoment(OffsetDateTime.parse(limit)) }
        ?: Text.Plain(limit)

private fun parsed(read: () -> Text): Text? = try {
    read()
} catch (_: DateTimeParseException) {
    null
}

/** A finding of a workflow, with the names of what it is about. */
fun Finding.words(workflow: Workflow?): Text {
    val place = pointer.removePrefix("/").split('/')
    val section = workflow?.sections?.getOrNull(place.after("sections"))
    val answer = section?.answers?.getOrNull(place.after("answers"))
    return when {
        code == "unlinked_answer" && answer != null ->
            text(TextId.FINDING_UNLINKED_ANSWER, Text.Plain(section.name), Text.Plain(answer.name))
        code == "unreachable_section" && section != null -> text(TextId.FINDING_UNREACHABLE_SECTION, Text.Plain(section.name))
        else -> text(TextId.FINDING_OTHER, Text.Plain(message.ifEmpty { code }))
    }
}

private fun List<String>.after(list: String): Int = indexOf(list).let { if (it < 0) null else getOrNull(it + 1) }?.toIntOrNull() ?: -1

/** The product's four words. */
fun ActionStatus.words(): Text = text(
    when (this) {
        ActionStatus.NOT_FIRED -> TextId.ACTION_NOT_FIRED
        ActionStatus.PENDING -> TextId.ACTION_PENDING
        ActionStatus.SENT -> TextId.ACTION_SENT
        ActionStatus.FAILED -> TextId.ACTION_FAILED
    },
)

/** Where a session stands. */
fun SessionState.words(won: Boolean?): Text = text(
    when (this) {
        SessionState.IN_PROGRESS -> TextId.SESSION_IN_PROGRESS
        SessionState.COMPLETED -> if (won == true) TextId.SESSION_WON else TextId.SESSION_COMPLETED
        SessionState.ENDED -> TextId.SESSION_ENDED
        SessionState.DISCARDED -> TextId.SESSION_DISCARDED
    },
)

/** What a customer says, and that it is an objection or a question. */
fun ResponseKind.words(name: String): Text =
    text(if (this == ResponseKind.OBJECTION) TextId.RESPONSE_OBJECTION else TextId.RESPONSE_QUESTION, Text.Plain(name))

/** That it was met. */
fun ResponseKind.used(name: String): Text =
    text(if (this == ResponseKind.OBJECTION) TextId.TIMELINE_OBJECTION else TextId.TIMELINE_QUESTION, Text.Plain(name))

private val REASONS = TextId.entries.filter { it.name.startsWith("REASON_") }.associateBy { it.name.removePrefix("REASON_").lowercase() }

/** Why an action stands as it does, or what a try came to. */
fun reasonWords(code: String): Text = REASONS[code]?.let { text(it) } ?: text(TextId.REASON_OTHER, Text.Plain(code))

/** What went wrong. */
fun CompassException.words(): Text = when (code) {
    ErrorCode.DISK_FULL -> text(TextId.FAILURE_DISK_FULL)
    ErrorCode.UNKNOWN_SESSION, ErrorCode.DELETED_SESSION, ErrorCode.UNKNOWN_WORKFLOW -> text(TextId.FAILURE_NOT_FOUND)
    ErrorCode.NOT_STARTABLE, ErrorCode.BROKEN_WORKFLOW -> text(TextId.FAILURE_NOT_STARTABLE)
    ErrorCode.INVALID_WORKFLOW -> text(TextId.FAILURE_BAD_FILE)
    ErrorCode.WORKFLOW_CONFLICT -> text(TextId.FAILURE_CONFLICT)
    ErrorCode.NOTHING_CORRECTED -> text(TextId.FAILURE_NOTHING_CORRECTED)
    ErrorCode.BODY_DROPPED -> text(TextId.FAILURE_BODY_DROPPED)
    ErrorCode.PAYLOAD_TOO_LARGE -> text(TextId.REASON_PAYLOAD_TOO_LARGE)
    ErrorCode.INVALID_ENDPOINT, ErrorCode.UNKNOWN_ENDPOINT -> text(TextId.FAILURE_BAD_ENDPOINT)
    ErrorCode.FIELD_PROBLEMS -> text(TextId.FAILURE_FIELDS)
    ErrorCode.REQUIRES_NEWER_CORE -> text(TextId.FAILURE_NEWER_CORE)
    ErrorCode.NEWER_SCHEMA -> text(TextId.FAILURE_NEWER_SCHEMA)
    ErrorCode.WORKFLOW_IN_USE -> text(TextId.FAILURE_IN_USE)
    ErrorCode.CORRUPT -> text(TextId.FAILURE_DAMAGED)
    ErrorCode.NOT_A_DATABASE -> text(TextId.FAILURE_NOT_OURS)
    ErrorCode.UNDELIVERED -> text(TextId.FAILURE_UNDELIVERED)
    ErrorCode.LOCKED -> text(TextId.FAILURE_LOCKED)
    ErrorCode.NOT_IN_PROGRESS, ErrorCode.NOT_FINISHED, ErrorCode.ALREADY_FINISHED, ErrorCode.DISCARDED -> text(TextId.FAILURE_NOT_ALLOWED)
    ErrorCode.ACTION_STATUS, ErrorCode.ACTION_LOCKED -> text(TextId.FAILURE_NOT_ALLOWED)
    else -> text(TextId.FAILURE_OTHER, Text.Plain(code))
}
