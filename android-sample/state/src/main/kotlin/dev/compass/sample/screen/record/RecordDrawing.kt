package dev.compass.sample.screen.record

import dev.compass.sample.gateway.ActionState
import dev.compass.sample.gateway.Attempt
import dev.compass.sample.gateway.FieldInfo
import dev.compass.sample.gateway.Happening
import dev.compass.sample.gateway.Holding
import dev.compass.sample.gateway.Moment
import dev.compass.sample.gateway.NamedHolding
import dev.compass.sample.gateway.RecordAction
import dev.compass.sample.gateway.RecordNow
import dev.compass.sample.gateway.SessionState
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
internal fun RecordNow.draw(): RecordUiState {
    val infos = fields.associate { it.info.key to it.info }
    return RecordUiState(
        loading = false,
        workflowName = workflow.name,
        version = workflow.label,
        state = state,
        stateText = state.words(won),
        won = won,
        actor = actor,
        startedAt = Text.Moment(startedAt),
        finishedAt = finishedAt?.let { Text.Moment(it) },
        endReason = endReason,
        timeline = timeline.flatMap { it.lines(infos) },
        fields = fields.map { RecordFieldLine(it.info.key, it.info.name, it.holding.words(it.info), it.holding is Holding.Given) },
        notes = notes.map { RecordNote(it.number, it.text, Text.Moment(it.at), it.edited) },
        actions = actions.map { it.card() },
        totals = ActionState.entries.map { state -> ActionTotal(state, state.words(), actions.count { it.state == state }) }
            .filter { it.count > 0 },
        canEdit = state == SessionState.COMPLETED || state == SessionState.ENDED,
    )
}

private fun Moment.lines(infos: Map<String, FieldInfo>): List<TimelineLine> {
    val who = actor
    val at = Text.Moment(at).let { if (who == null) it else text(TextId.TIMELINE_BY, it, Text.Plain(who)) }
    return happenings.flatMap { it.lines(infos) }.mapIndexed { index, (sign, words) -> TimelineLine("$number.$index", at, sign, words) }
}

private fun Happening.lines(infos: Map<String, FieldInfo>): List<Pair<TimelineSign, Text>> = when (this) {
    is Happening.Started -> listOf(TimelineSign.STARTED to named(TextId.TIMELINE_STARTED, section)) + prefilled.lines(infos)
    is Happening.FieldsSet -> fields.lines(infos)
    is Happening.Answered -> {
        val sign = if (superseded) TimelineSign.TAKEN_BACK else TimelineSign.ANSWER
        listOf(sign to named(if (superseded) TextId.TIMELINE_SUPERSEDED else TextId.TIMELINE_ANSWERED, section, answer))
    }
    is Happening.WentBack -> listOf(TimelineSign.BACK to named(TextId.TIMELINE_WENT_BACK, section))
    is Happening.ResponseUsed -> listOf(TimelineSign.RESPONSE to kind.used(response))
    is Happening.Noted -> listOf(TimelineSign.NOTE to named(TextId.TIMELINE_NOTED, text))
    is Happening.Completed -> listOf(
        if (won) {
            TimelineSign.WON to named(TextId.TIMELINE_COMPLETED_WON, section)
        } else {
            TimelineSign.COMPLETED to named(TextId.TIMELINE_COMPLETED, section)
        },
    )
    is Happening.Ended -> listOf(TimelineSign.ENDED to named(TextId.TIMELINE_ENDED, section, reason))
    Happening.Discarded -> listOf(TimelineSign.DISCARDED to text(TextId.TIMELINE_DISCARDED))
    is Happening.FieldEdited -> {
        val info = infos[field]
        listOf(TimelineSign.EDITED to text(TextId.TIMELINE_FIELD_EDITED, Text.Plain(name), from.words(info), to.words(info)))
    }
    is Happening.NoteEdited -> listOf(TimelineSign.EDITED to named(TextId.TIMELINE_NOTE_EDITED, to))
    is Happening.SendRequested -> {
        val id = if (corrected) TextId.TIMELINE_SEND_CORRECTED else TextId.TIMELINE_SEND_REQUESTED
        listOf(TimelineSign.SEND to named(id, action))
    }
    is Happening.Abandoned -> listOf(TimelineSign.ABANDONED to named(TextId.TIMELINE_ABANDONED, action, reason))
}

private fun List<NamedHolding>.lines(infos: Map<String, FieldInfo>) =
    map { TimelineSign.FIELD to text(TextId.TIMELINE_FIELD_SET, Text.Plain(it.name), it.holding.words(infos[it.field])) }

private fun named(id: TextId, vararg words: String): Text = Text.Message(id, words.map { Text.Plain(it) })

private fun RecordAction.card() = ActionCard(
    key,
    name,
    endpoint,
    state,
    state.words(),
    // "Sent" needs no reason.
    reason?.takeIf { state != ActionState.SENT }?.let(::reasonWords),
    detail = when (state) {
        ActionState.SENT -> sentAt?.let { text(TextId.ACTION_SENT_AT, Text.Moment(it)) }
        ActionState.PENDING -> nextAttemptAt?.let { text(TextId.ACTION_NEXT_ATTEMPT, Text.Moment(it)) }
        ActionState.NOT_FIRED, ActionState.FAILED -> null
    },
    attempts = if (attempts > 0) Text.Count(CountId.ATTEMPTS, attempts) else null,
    attemptLines = lastAttempts.map { it.words() },
    warnings = listOfNotNull(
        if (failedSends > 0) Text.Count(CountId.FAILED_SENDS, failedSends) else null,
        if (locked) text(TextId.ACTION_LOCKED) else null,
        if (mayHaveBeenDelivered && state != ActionState.SENT) text(TextId.ACTION_MAYBE_DELIVERED) else null,
    ),
    canSend = canSend,
    canSendCorrected = canSendCorrected,
    canAbandon = canAbandon,
)

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
