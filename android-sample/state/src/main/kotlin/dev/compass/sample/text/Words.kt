package dev.compass.sample.text

import dev.compass.sample.gateway.ActionState
import dev.compass.sample.gateway.FieldInfo
import dev.compass.sample.gateway.FieldProblem
import dev.compass.sample.gateway.FieldType
import dev.compass.sample.gateway.GatewayFailure
import dev.compass.sample.gateway.Holding
import dev.compass.sample.gateway.ResponseKind
import dev.compass.sample.gateway.SessionState
import dev.compass.sample.gateway.Value
import dev.compass.sample.gateway.WorkflowFinding
import java.math.BigDecimal
import java.time.LocalDate
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.format.DateTimeParseException

// The core speaks in codes; these are the words for them. Codes are open sets: an unknown one is shown as it is.

/** What a field holds. */
fun Holding.words(info: FieldInfo?): Text = when (this) {
    Holding.NotProvided -> text(TextId.NOT_PROVIDED)
    Holding.Empty -> text(TextId.EMPTY)
    Holding.NotApplicable -> text(TextId.NOT_APPLICABLE)
    is Holding.Given -> value.words(info)
}

/** A value, with the names of its options where [info] has them. */
fun Value.words(info: FieldInfo?): Text = when (this) {
    is Value.Words -> Text.Plain(text)
    is Value.Whole -> Text.Number(BigDecimal(number))
    is Value.Exact -> Text.Number(number)
    is Value.YesNo -> text(if (yes) TextId.YES else TextId.NO)
    is Value.Day -> Text.Day(date)
    is Value.TimeOfDay -> Text.TimeOfDay(time)
    is Value.Moment -> Text.OffsetMoment(at)
    is Value.One -> Text.Plain(info.option(option))
    is Value.Many -> Text.Several(options.map { Text.Plain(info.option(it)) })
    is Value.Place -> {
        val accuracy = accuracy
        if (accuracy == null) {
            text(TextId.LOCATION_VALUE, Text.Number(latitude), Text.Number(longitude))
        } else {
            text(TextId.LOCATION_VALUE_ACCURACY, Text.Number(latitude), Text.Number(longitude), Text.Number(accuracy))
        }
    }
    is Value.File -> text(TextId.FILE_VALUE, Text.Plain(name), Text.Count(CountId.KILOBYTES, kilobytes(size)))
}

private const val KILOBYTE = 1024L

private fun kilobytes(bytes: Long): Int = ((bytes + KILOBYTE - 1) / KILOBYTE).coerceAtMost(Int.MAX_VALUE.toLong()).toInt()

private fun FieldInfo?.option(key: String): String = this?.options?.firstOrNull { it.key == key }?.name ?: key

/** What is wrong with a field. */
fun FieldProblem.words(info: FieldInfo?): Text {
    val id = when (code) {
        "required" -> TextId.PROBLEM_REQUIRED
        "bad_format" -> info?.type.badFormat()
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

private fun FieldType?.badFormat(): TextId = when (this) {
    FieldType.INTEGER, FieldType.DECIMAL -> TextId.PROBLEM_NOT_A_NUMBER
    FieldType.DATE, FieldType.DATETIME -> TextId.PROBLEM_NOT_A_DATE
    FieldType.TIME -> TextId.PROBLEM_NOT_A_TIME
    FieldType.EMAIL -> TextId.PROBLEM_EMAIL
    FieldType.PHONE -> TextId.PROBLEM_PHONE
    FieldType.URL -> TextId.PROBLEM_URL
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

/** A finding of a workflow. */
fun WorkflowFinding.words(): Text {
    val section = section
    val answer = answer
    return when {
        code == "unlinked_answer" && section != null && answer != null ->
            text(TextId.FINDING_UNLINKED_ANSWER, Text.Plain(section), Text.Plain(answer))
        code == "unreachable_section" && section != null -> text(TextId.FINDING_UNREACHABLE_SECTION, Text.Plain(section))
        else -> text(TextId.FINDING_OTHER, Text.Plain(detail.ifEmpty { code }))
    }
}

/** The product's four words. */
fun ActionState.words(): Text = text(
    when (this) {
        ActionState.NOT_FIRED -> TextId.ACTION_NOT_FIRED
        ActionState.PENDING -> TextId.ACTION_PENDING
        ActionState.SENT -> TextId.ACTION_SENT
        ActionState.FAILED -> TextId.ACTION_FAILED
    },
)

/** Where a session stands. */
fun SessionState.words(won: Boolean): Text = text(
    when (this) {
        SessionState.IN_PROGRESS -> TextId.SESSION_IN_PROGRESS
        SessionState.COMPLETED -> if (won) TextId.SESSION_WON else TextId.SESSION_COMPLETED
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
fun GatewayFailure.words(): Text = when (code) {
    "disk_full" -> text(TextId.FAILURE_DISK_FULL)
    "unknown_session", "deleted_session", "unknown_workflow" -> text(TextId.FAILURE_NOT_FOUND)
    "not_startable", "broken_workflow" -> text(TextId.FAILURE_NOT_STARTABLE)
    "invalid_workflow" -> text(TextId.FAILURE_BAD_FILE)
    "workflow_conflict" -> text(TextId.FAILURE_CONFLICT)
    "nothing_corrected" -> text(TextId.FAILURE_NOTHING_CORRECTED)
    "payload_too_large" -> text(TextId.REASON_PAYLOAD_TOO_LARGE)
    "invalid_endpoint", "unknown_endpoint" -> text(TextId.FAILURE_BAD_ENDPOINT)
    "field_problems" -> text(TextId.FAILURE_FIELDS)
    "requires_newer_core" -> text(TextId.FAILURE_NEWER_CORE)
    "newer_schema" -> text(TextId.FAILURE_NEWER_SCHEMA)
    "workflow_in_use" -> text(TextId.FAILURE_IN_USE)
    "corrupt" -> text(TextId.FAILURE_DAMAGED)
    "not_a_database" -> text(TextId.FAILURE_NOT_OURS)
    "undelivered" -> text(TextId.FAILURE_UNDELIVERED)
    "locked" -> text(TextId.FAILURE_LOCKED)
    "not_in_progress", "not_finished", "already_finished", "discarded", "action_status", "action_locked" ->
        text(TextId.FAILURE_NOT_ALLOWED)
    else -> text(TextId.FAILURE_OTHER, Text.Plain(code))
}
