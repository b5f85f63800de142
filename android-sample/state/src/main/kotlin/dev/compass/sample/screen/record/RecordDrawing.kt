package dev.compass.sample.screen.record

import dev.compass.core.model.Action
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Attempt
import dev.compass.core.model.Delivery
import dev.compass.core.model.DeliveryState
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldEntry
import dev.compass.core.model.FieldState
import dev.compass.core.model.RecordField
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionState
import dev.compass.core.model.TimelineEntry
import dev.compass.core.model.TimelineItem
import dev.compass.sample.core.label
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.reasonWords
import dev.compass.sample.text.text
import dev.compass.sample.text.used
import dev.compass.sample.text.words
import java.math.BigDecimal

// From a record to what its screen shows.

/** Without what only the model knows. */
internal fun SessionRecord.draw(): RecordUiState {
    val definitions = fields.associate { it.definition.key to it.definition }
    return RecordUiState(
        loading = false,
        workflowName = workflow.name,
        version = workflow.label,
        state = state,
        stateText = state.words(won),
        won = won == true,
        actor = actor,
        startedAt = Text.Moment(startedAt),
        finishedAt = finishedAt?.let { Text.Moment(it) },
        endReason = endReason,
        timeline = timeline.flatMap { it.lines(definitions) },
        fields = fields.map { it.line() },
        notes = notes.map { RecordNote(it.seq, it.text.orEmpty(), Text.Moment(it.at), it.edited) },
        actions = actions.map { it.card() },
        totals = ActionStatus.entries.map { status -> ActionTotal(status, status.words(), actions.count { it.status == status }) }
            .filter { it.count > 0 },
        canEdit = state == SessionState.COMPLETED || state == SessionState.ENDED,
        canReplay = actions.any { it.canReplay },
    )
}

private fun RecordField.line() =
    RecordFieldLine(definition.key, definition.name, state.words(definition), provided = state is FieldState.Provided)

private fun TimelineItem.lines(definitions: Map<String, FieldDefinition>): List<TimelineLine> {
    val who = actor
    val at = Text.Moment(at).let { if (who == null) it else text(TextId.TIMELINE_BY, it, Text.Plain(who)) }
    return entry.lines(definitions).mapIndexed { index, (sign, words) -> TimelineLine("$seq.$index", at, sign, words) }
}

// One act can say several things.
private fun TimelineEntry.lines(definitions: Map<String, FieldDefinition>): List<Pair<TimelineSign, Text>> = when (this) {
    is TimelineEntry.Started -> listOf(TimelineSign.STARTED to named(TextId.TIMELINE_STARTED, sectionName)) + prefilled.lines(definitions)
    is TimelineEntry.FieldsSet -> fields.lines(definitions)
    is TimelineEntry.Answered -> {
        val sign = if (superseded) TimelineSign.TAKEN_BACK else TimelineSign.ANSWER
        listOf(sign to named(if (superseded) TextId.TIMELINE_SUPERSEDED else TextId.TIMELINE_ANSWERED, sectionName, answerName))
    }
    is TimelineEntry.WentBack -> listOf(TimelineSign.BACK to named(TextId.TIMELINE_WENT_BACK, sectionName))
    is TimelineEntry.ResponseUsed -> listOf(TimelineSign.RESPONSE to kind.used(responseName))
    is TimelineEntry.Noted -> listOf(TimelineSign.NOTE to named(TextId.TIMELINE_NOTED, text.orEmpty()))
    is TimelineEntry.Completed -> listOf(
        if (won) {
            TimelineSign.WON to named(TextId.TIMELINE_COMPLETED_WON, sectionName)
        } else {
            TimelineSign.COMPLETED to named(TextId.TIMELINE_COMPLETED, sectionName)
        },
    )
    is TimelineEntry.Ended -> listOf(TimelineSign.ENDED to named(TextId.TIMELINE_ENDED, sectionName, reason))
    TimelineEntry.Discarded -> listOf(TimelineSign.DISCARDED to text(TextId.TIMELINE_DISCARDED))
    is TimelineEntry.Edited -> {
        val edited = fields.map {
            val definition = definitions[it.field]
            text(TextId.TIMELINE_FIELD_EDITED, Text.Plain(it.fieldName), it.from.words(definition), it.to.words(definition))
        }
        val noted = notes.map { named(TextId.TIMELINE_NOTE_EDITED, it.to.orEmpty()) }
        (edited + noted + listOfNotNull(reason?.let { named(TextId.TIMELINE_EDIT_REASON, it) })).map { TimelineSign.EDITED to it }
    }
    is TimelineEntry.SendRequested -> {
        val id = when {
            replay -> TextId.TIMELINE_REPLAYED
            corrected -> TextId.TIMELINE_SEND_CORRECTED
            else -> TextId.TIMELINE_SEND_REQUESTED
        }
        listOf(TimelineSign.SEND to named(id, actionName))
    }
    is TimelineEntry.Abandoned -> listOf(TimelineSign.ABANDONED to named(TextId.TIMELINE_ABANDONED, actionName, reason))
    // The app redacts nothing, and has no words for it yet.
    is TimelineEntry.Redacted -> emptyList()
}

private fun List<FieldEntry>.lines(definitions: Map<String, FieldDefinition>) =
    map { TimelineSign.FIELD to text(TextId.TIMELINE_FIELD_SET, Text.Plain(it.fieldName), it.state.words(definitions[it.field])) }

private fun named(id: TextId, vararg words: String): Text = Text.Message(id, words.map { Text.Plain(it) })

private fun Action.card(): ActionCard {
    val newest = deliveries.firstOrNull()
    val messages = messages()
    return ActionCard(
        key,
        name,
        endpoint,
        status,
        status.words(),
        // "Sent" needs no reason.
        reason?.takeIf { status != ActionStatus.SENT }?.let(::reasonWords),
        detail = when (status) {
            // The list of its messages says it, where there is one.
            ActionStatus.SENT -> newest?.sentAt?.takeIf { messages.isEmpty() }?.let { text(TextId.ACTION_SENT_AT, Text.Moment(it)) }
            ActionStatus.PENDING -> newest?.nextAttemptAt?.let { text(TextId.ACTION_NEXT_ATTEMPT, Text.Moment(it)) }
            ActionStatus.NOT_FIRED, ActionStatus.FAILED -> null
        },
        attempts = newest?.attempts?.takeIf { it > 0 }?.let { Text.Count(CountId.ATTEMPTS, it) },
        attemptLines = newest?.lastAttempts.orEmpty().map { it.words() },
        messages = messages,
        warnings = listOfNotNull(
            if (failedSends > 0) Text.Count(CountId.FAILED_SENDS, failedSends) else null,
            if (locked) text(TextId.ACTION_LOCKED) else null,
            if (newest?.mayHaveBeenDelivered == true && status != ActionStatus.SENT) text(TextId.ACTION_MAYBE_DELIVERED) else null,
            when {
                !differsFromSent -> null
                deliveredRevision != null -> text(TextId.ACTION_OLDER_DELIVERED)
                else -> text(TextId.ACTION_OLDER_WAITS)
            },
        ),
        canSend = canSend,
        canSendCorrected = canSendCorrected,
        canAbandon = canAbandon,
    )
}

/** Oldest version first, each before its replays. Of a single message the card says everything. */
private fun Action.messages(): List<MessageLine> {
    val all = (deliveries + replays).sortedWith(compareBy({ it.revision }, { it.replay }))
    return if (all.size < 2) emptyList() else all.map { MessageLine("${it.revision}.${it.replay}", it.words(), replay = it.replay > 0) }
}

private fun Delivery.words(): Text {
    if (replay > 0) return replayWords()
    val number = Text.Number(BigDecimal(revision))
    val standing = when (state) {
        DeliveryState.SENT -> text(TextId.VERSION_SENT, Text.Moment(sentAt ?: frozenAt))
        DeliveryState.PENDING -> text(TextId.VERSION_WAITS, Text.Moment(frozenAt))
        DeliveryState.FAILED -> text(TextId.VERSION_FAILED, why())
        DeliveryState.SUPERSEDED -> text(TextId.VERSION_REPLACED)
    }
    return text(if (revision > 1) TextId.VERSION_CORRECTION else TextId.VERSION_FIRST, number, standing)
}

private fun Delivery.replayWords(): Text = when (state) {
    DeliveryState.SENT -> text(TextId.REPLAY_SENT, Text.Moment(sentAt ?: frozenAt))
    DeliveryState.PENDING -> text(TextId.REPLAY_WAITS, Text.Moment(frozenAt))
    DeliveryState.FAILED, DeliveryState.SUPERSEDED -> text(TextId.REPLAY_FAILED, why())
}

private fun Delivery.why(): Text = reason?.let(::reasonWords) ?: text(TextId.ACTION_FAILED)

private fun Attempt.words(): Text {
    val number = Text.Number(BigDecimal(number))
    val at = Text.Moment(at)
    // A code that is read out to an office is the same in every language.
    val status = status?.let { Text.Plain("$it") }
    return when {
        outcome == "sent" && status != null -> text(TextId.ATTEMPT_SENT, number, at, status)
        status != null -> text(TextId.ATTEMPT_ANSWERED, number, at, reasonWords(outcome), status)
        else -> text(TextId.ATTEMPT_FAILED, number, at, reasonWords(outcome))
    }
}

/** JSON with a line for each member, for people; strings stay as they are. */
internal fun indented(json: String): String = buildString {
    var depth = 0
    var inString = false
    var escaped = false
    fun newLine() = append('\n').append("  ".repeat(depth))
    json.forEachIndexed { index, character ->
        when {
            inString -> {
                append(character)
                inString = escaped || character != '"'
                escaped = !escaped && character == '\\'
            }
            character == '"' -> {
                append(character)
                inString = true
            }
            character == '{' || character == '[' -> {
                append(character)
                depth += 1
                if (json.getOrNull(index + 1) != character.closing()) newLine()
            }
            character == '}' || character == ']' -> {
                depth -= 1
                if (json[index - 1].closing() != character) newLine()
                append(character)
            }
            character == ',' -> {
                append(character)
                newLine()
            }
            character == ':' -> append(": ")
            else -> append(character)
        }
    }
}

private fun Char.closing(): Char? = when (this) {
    '{' -> '}'
    '[' -> ']'
    else -> null
}
