package dev.compass.core.testing

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Command
import dev.compass.core.model.DeliveryState
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldView
import dev.compass.core.model.Note
import dev.compass.core.model.OutboxFilter
import dev.compass.core.model.OutboxItem
import dev.compass.core.model.SessionFilter
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionState
import dev.compass.core.model.SessionSummary
import dev.compass.core.model.SessionView
import dev.compass.core.model.ValueSource
import dev.compass.core.model.Workflow
import dev.compass.core.model.WorkflowRef
import dev.compass.core.model.WorkflowVersion
import dev.compass.core.toState

/**
 * What [FakeCompass] makes of a command, as far as it goes without rules: a field takes its value, a note is added, the session completes or
 * ends. For [FakeCompass.onRun], where a test adds to it: `onRun { if (it is Command.Answer) done else after(it) }`.
 */
public fun SessionView.after(command: Command): SessionView = when (command) {
    is Command.SetFields -> command.changes.fold(this) { view, change -> view.after(change) }
    is Command.Note -> copy(notes = notes + Note(notes.size + 1, at, text = command.text), noteDraft = null)
    is Command.Complete -> copy(won = section.win).over(SessionState.COMPLETED)
    is Command.End -> over(SessionState.ENDED)
    Command.Discard -> over(SessionState.DISCARDED)
    is Command.Answer, is Command.Back, is Command.UseResponse, is Command.Edit -> this
}

private fun SessionView.over(state: SessionState) = copy(state = state, finishedAt = at, answers = emptyList(), canComplete = false)

private fun SessionView.after(change: FieldChange): SessionView {
    val state = change.change.toState()
    val gone = state == FieldState.NotProvided
    return field(change.field) {
        copy(
            state = state, completedAt = at.takeUnless { gone }, source = ValueSource.Technician.takeUnless { gone }, draft = null,
            problem = problem.takeIf { gone },
        )
    }.copy(problems = problems.filter { gone || it.field != change.field })
}

/** The notes that are new have this author, where a test gives them none. */
internal fun SessionView.notedBy(actor: String?, since: SessionView) =
    copy(notes = notes.mapIndexed { place, note -> if (place < since.notes.size) note else note.copy(actor = note.actor ?: actor) })

internal fun WorkflowRef.isOf(key: String, version: WorkflowVersion) =
    this.key == key && this.version == version.version && localRevision == version.localRevision

internal fun WorkflowRef.withoutSections() = Workflow(format = 1, key, version, localRevision, name, start = "arrive")

internal fun SessionView.drafted(field: String, text: String) = field(field) { copy(draft = text.ifEmpty { null }) }

private fun SessionView.field(key: String, change: FieldView.() -> FieldView) =
    copy(fields = fields.map { if (it.definition.key == key) it.change() else it })

internal fun SessionRecord.after(command: Command): SessionRecord = if (command !is Command.Edit) this else copy(
    fields = fields.map { field ->
        val change = command.fields.firstOrNull { it.field == field.definition.key } ?: return@map field
        val state = change.change.toState()
        val given = state != FieldState.NotProvided
        field.copy(state = state, completedAt = at.takeIf { given }, source = ValueSource.Technician.takeIf { given }, draft = null)
    },
    notes = notes.map { note -> command.notes.firstOrNull { it.note == note.seq }?.let { note.copy(text = it.text, edited = true) } ?: note },
)

internal fun SessionRecord.drafted(field: String, text: String) =
    copy(fields = fields.map { if (it.definition.key == field) it.copy(draft = text.ifEmpty { null }) else it })

/** Whether a filter takes it. What is searched for is in no summary. */
internal fun SessionSummary.isIn(filter: SessionFilter): Boolean {
    val ofStatus = when (filter.actionStatus) {
        ActionStatus.NOT_FIRED -> actionsNotFired
        ActionStatus.PENDING -> actionsPending
        ActionStatus.SENT -> actionsSent
        ActionStatus.FAILED -> actionsFailed
        null -> null
    }
    val ofState = if (filter.states.isEmpty()) state != SessionState.DISCARDED else state in filter.states
    val (from, before) = filter.startedFrom to filter.startedBefore
    return ofState && ofStatus != 0 && (from == null || startedAt >= from) && (before == null || startedAt < before) &&
        (filter.workflow ?: workflow.key) == workflow.key && (filter.won ?: won) == won && (filter.actor ?: actor) == actor
}

/** Whether a filter takes it. */
internal fun OutboxItem.isIn(filter: OutboxFilter): Boolean =
    delivery.state in filter.states.ifEmpty { listOf(DeliveryState.PENDING, DeliveryState.FAILED) } &&
        (filter.endpoint ?: delivery.endpoint) == delivery.endpoint
