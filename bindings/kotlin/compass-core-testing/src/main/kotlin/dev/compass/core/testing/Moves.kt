package dev.compass.core.testing

import dev.compass.core.model.Command
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldView
import dev.compass.core.model.Note
import dev.compass.core.model.SessionState
import dev.compass.core.model.SessionView
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
    return field(change.field) { copy(state = state, completedAt = at.takeUnless { gone }, draft = null, problem = problem.takeIf { gone }) }
        .copy(problems = problems.filter { gone || it.field != change.field })
}

internal fun SessionView.drafted(field: String, text: String) = field(field) { copy(draft = text.ifEmpty { null }) }

private fun SessionView.field(key: String, change: FieldView.() -> FieldView) =
    copy(fields = fields.map { if (it.definition.key == key) it.change() else it })
