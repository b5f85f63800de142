package dev.compass.core.scenario

import dev.compass.core.Compass
import dev.compass.core.model.Action
import dev.compass.core.model.Delivery
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.Note
import dev.compass.core.model.PathStep
import dev.compass.core.model.Problem
import dev.compass.core.model.SessionKey
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionView
import dev.compass.core.model.TimelineEntry
import dev.compass.core.model.ValueSource
import dev.compass.core.model.WorkflowRef
import java.time.Instant
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter

/** Reads a path of a scenario. */
suspend fun Compass.read(session: SessionKey?, path: String): String? {
    val parts = path.split('.')
    val rest = parts.drop(1)
    fun current() = session ?: error("no session was started")
    return when (parts.first()) {
        "session" -> session(current()).read(rest)
        "record" -> record(current()).read(rest)
        "preview" -> preview(current(), rest.single()).body
        "outbox" -> outboxTotals().let {
            when (rest.single()) {
                "pending" -> "${it.pending}"
                "failed" -> "${it.failed}"
                "needs_person" -> "${it.needsPerson}"
                else -> none(path)
            }
        }
        "due" -> nextDue().let {
            when (rest.single()) {
                "at" -> it.at?.written()
                "at_needs_unmetered" -> it.atNeedsUnmetered?.written()
                "when_online" -> it.whenOnline?.written()
                "needs_person" -> "${it.needsPerson}"
                else -> none(path)
            }
        }
        "endpoints" -> endpoints().single { it.endpoint.key == rest[0] }.let {
            when (rest.drop(1).single()) {
                "enabled" -> "${it.enabled}"
                "disabled_reason" -> it.disabledReason
                "pending" -> "${it.pending}"
                else -> none(path)
            }
        }
        "workflows" -> workflows().listed { it.workflow.written() }
        else -> none(path)
    }
}

private fun none(path: Any): Nothing = error("there is no path $path")

private fun SessionView.read(path: List<String>): String? = when (path.first()) {
    "key" -> key
    "workflow" -> workflow.written()
    "state" -> state.written()
    "won" -> won?.toString()
    "actor" -> actor
    "started_at" -> startedAt.written()
    "finished_at" -> finishedAt?.written()
    "visit" -> "$visit"
    "can_complete" -> "$canComplete"
    "section" -> section.key
    "path" -> this.path.steps()
    "answers" -> answers.listed { it.key }
    "responses" -> responses.listed { it.key }
    "would_fire" -> wouldFire.listed { it.key }
    "sizes" -> wouldFire.listed { "${it.key}:${it.size ?: 0}" }
    "problems" -> problems.codes()
    "completion_problems" -> completionProblems.codes()
    "completion_places" -> completionProblems.listed { "${it.visit}:${it.section}:${it.field}" }
    "notes" -> notes.texts()
    "fields" -> if (path.size == 1) {
        fields.listed { it.definition.key }
    } else {
        val field = fields.single { it.definition.key == path[1] }
        when (path[2]) {
            "state" -> field.state.name()
            "value" -> field.state.value()
            "source" -> field.source?.written()
            "completed_at" -> field.completedAt?.written()
            "draft" -> field.draft
            "problem" -> field.problem?.code
            else -> none(path)
        }
    }
    else -> none(path)
}

private fun SessionRecord.read(path: List<String>): String? = when (path.first()) {
    "state" -> state.written()
    "won" -> won?.toString()
    "finished_at" -> finishedAt?.written()
    "end_reason" -> endReason
    "path" -> this.path.steps()
    "notes" -> notes.texts()
    "edit_reasons" -> timeline.map { it.entry }.filterIsInstance<TimelineEntry.Edited>().listed { it.reason.orEmpty() }
    "timeline" -> timeline.listed { it.entry.javaClass.simpleName.snake() }
    "fields" -> fields.single { it.definition.key == path[1] }.let { field ->
        when (path[2]) {
            "state" -> field.state.name()
            "value" -> field.state.value()
            "source" -> field.source?.written()
            "completed_at" -> field.completedAt?.written()
            "section" -> field.section
            else -> none(path)
        }
    }
    "actions" -> if (path.size == 1) actions.listed { it.key } else actions.single { it.key == path[1] }.read(path[2])
    else -> none(path)
}

private fun Action.read(member: String): String? {
    val newest: Delivery? = deliveries.firstOrNull()
    return when (member) {
        "status" -> status.written()
        "reason" -> reason
        "endpoint" -> endpoint
        "failed_sends" -> "$failedSends"
        "locked" -> "$locked"
        "can" -> listOf("send" to canSend, "send_corrected" to canSendCorrected, "abandon" to canAbandon)
            .filter { it.second }.listed { it.first }
        "deliveries" -> deliveries.listed { "${it.revision}:${it.state.written()}" }
        "can_replay" -> "$canReplay"
        "replays" -> replays.listed { "${it.revision}:${it.state.written()}" }
        "delivery" -> newest?.id
        "attempts" -> newest?.attempts?.toString()
        "sent_at" -> newest?.sentAt?.written()
        "next_attempt_at" -> newest?.nextAttemptAt?.written()
        "may_have_been_delivered" -> newest?.mayHaveBeenDelivered?.toString()
        "holds_redacted" -> newest?.holdsRedacted?.listed { it }
        "outcomes" -> newest?.lastAttempts?.listed { "${it.number}:${it.outcome}" }
        else -> none(member)
    }
}

private fun <T> List<T>.listed(write: (T) -> String): String = joinToString(",", transform = write)

private fun List<PathStep>.steps() = listed { "${it.visit}:${it.section}" }

private fun List<Problem>.codes() = listed { "${it.field}:${it.code}" }

private fun List<Note>.texts() = listed { it.text ?: "(redacted)" }

private fun WorkflowRef.written() = if (localRevision == 0) "$key@$version" else "$key@$version.$localRevision"

fun Enum<*>.written(): String = name.lowercase()

private fun String.snake() = replace(Regex("(?<=.)[A-Z]"), "_$0").lowercase()

private val MILLIS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC)

private fun Instant.written(): String = MILLIS.format(this)

fun FieldState.name(): String = javaClass.simpleName.snake()

fun FieldState.value(): String? = (this as? FieldState.Provided)?.value?.written()

private fun FieldValue.written(): String = when (this) {
    is FieldValue.Text -> value
    is FieldValue.Choice -> value
    is FieldValue.Choices -> value.joinToString(",")
    is FieldValue.Integer -> "$value"
    is FieldValue.Boolean -> "$value"
    is FieldValue.Decimal -> value.toPlainString()
    is FieldValue.Date -> "$value"
    is FieldValue.Time -> value.format(DateTimeFormatter.ofPattern(if (value.nano == 0) "HH:mm:ss" else "HH:mm:ss.SSS"))
    is FieldValue.DateTime -> value.written()
    is FieldValue.Location ->
        listOf(value.latitude, value.longitude, value.accuracyM).joinToString(" ") { it?.toPlainString() ?: "-" } + " ${value.capturedAt.written()}"
    is FieldValue.File -> value.run { "$sha256 $mediaType $size $name" }
}

private fun OffsetDateTime.written(): String =
    format(DateTimeFormatter.ofPattern(if (nano == 0) "uuuu-MM-dd'T'HH:mm:ssxxx" else "uuuu-MM-dd'T'HH:mm:ss.SSSxxx"))

private fun ValueSource.written() = when (this) {
    is ValueSource.Technician -> "technician"
    is ValueSource.Prefill -> "prefill:$name"
}
