package dev.compass.sample.screen.record

import dev.compass.core.CompassException
import dev.compass.core.edit
import dev.compass.core.model.Change
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldView
import dev.compass.core.model.NoteChange
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.TimelineEntry
import dev.compass.core.toState
import dev.compass.sample.field.FieldDrawer
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.NumberInput
import dev.compass.sample.field.Typing
import dev.compass.sample.field.change
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import kotlinx.coroutines.CoroutineScope

/** The record of a session: what happened, what was answered, and what became of its actions. */
class RecordModel(private val session: String, private val work: Workplace, scope: CoroutineScope) :
    StateModel<RecordUiState, RecordEvent>(RecordUiState(), scope) {
    private val compass = work.compass
    private var known: SessionRecord? = null
    private var edits: Edits? = null

    // A second tap on "send" was meant for the same message; what became of the first shows with the next record.
    private val asked = mutableSetOf<RecordEvent>()

    init {
        follow(compass.observeRecord(session)) {
            asked.clear()
            known = it
            draw()
        }
    }

    override fun RecordUiState.saying(notice: Notice?) = copy(notice = notice)

    override suspend fun take(event: RecordEvent) {
        when (event) {
            RecordEvent.EditOpened -> openEdit()
            is RecordEvent.Field -> field(event.event)
            is RecordEvent.EditReasonTyped -> edits?.let { edit(it.copy(reason = event.reason)) }
            is RecordEvent.NoteTyped -> edits?.let { edit(it.copy(notes = it.notes + (event.number to event.text))) }
            RecordEvent.EditSaved -> saveEdit()
            RecordEvent.Dismissed -> {
                // What was typed into a field stays for the next time, what was tapped is forgotten.
                edits = null
                show { copy(editing = null, preview = null, abandoning = null, menu = null) }
            }
            is RecordEvent.SendTapped -> sending(event) { compass.send(session, event.action, work.actor) }
            is RecordEvent.SendCorrectedTapped -> sending(event) { compass.sendCorrected(session, event.action, work.actor) }
            is RecordEvent.PreviewOpened -> preview(event.action)
            is RecordEvent.AbandonOpened -> action(event.action)?.let { question(it) }
            is RecordEvent.AbandonReasonTyped -> show { copy(abandoning = abandoning?.copy(reason = event.reason)) }
            is RecordEvent.AbandonActorTyped -> show { copy(abandoning = abandoning?.copy(actor = event.actor)) }
            RecordEvent.AbandonConfirmed -> abandon()
            RecordEvent.MenuOpened -> show { copy(menu = RecordMenu.CHOICES) }
            RecordEvent.ReplayOpened -> if (now.canReplay) show { copy(menu = RecordMenu.REPLAY) }
            RecordEvent.ReplayConfirmed -> replay()
            RecordEvent.Left -> work.navigator.back()
            RecordEvent.NoticeShown -> say(null)
        }
    }

    private fun action(key: String): ActionCard? = now.actions.firstOrNull { it.key == key }

    // Editing ------------------------------------------------------------------------------------------------------------------------

    /** With what was half typed before, also by a process that has died since. */
    private suspend fun openEdit() {
        if (!now.canEdit) return
        // Keeping half-typed text tells nobody: it is asked for.
        draftsKept()
        edit(Edits(compass.record(session)))
    }

    private fun edit(changed: Edits) {
        edits = changed
        draw()
    }

    private fun field(event: FieldEvent) {
        val editing = edits ?: return
        val field = editing.fields().firstOrNull { it.definition.key == event.field } ?: return
        val typing = editing.typing
        val after = when (event) {
            is FieldEvent.Typed -> {
                keepDraft { compass.saveDraft(session, event.field, event.text) }
                editing.copy(typing = typing.typed(event.field, event.text))
            }
            // All of it is read when it is saved.
            is FieldEvent.Left -> editing
            is FieldEvent.Locating -> editing.copy(typing = typing.searching(event.field))
            is FieldEvent.NotLocated ->
                editing.copy(typing = typing.unable(event.field, if (event.denied) TextId.LOCATION_DENIED else TextId.LOCATION_NOT_FOUND))
            is FieldEvent.NotAttached -> editing.copy(typing = typing.unable(event.field, TextId.FILE_UNREADABLE))
            else -> {
                val change = event.change(field.definition, field.state) ?: return
                if (typing.open(field) != null) keepDraft { compass.saveDraft(session, event.field, "") }
                editing.copy(changed = editing.changed + (event.field to change), typing = typing.kept(event.field))
            }
        }
        edit(after)
    }

    private suspend fun saveEdit() {
        val editing = edits ?: return
        val read = editing.typing.read(editing.fields())
        if (read.problems.isNotEmpty()) return edit(editing.copy(typing = editing.typing.refused(read.problems)))
        val changes = editing.changes(read.changes)
        val notes = editing.changedNotes()
        if (changes.isNotEmpty() || notes.isNotEmpty()) {
            try {
                compass.edit(session, changes, notes, work.actor, reason = editing.reason.trim().ifEmpty { null })
            } catch (failure: CompassException) {
                if (failure.problems.isEmpty()) throw failure
                return edit(editing.copy(typing = editing.typing.refused(failure.problems)))
            }
            say(Notice(text(TextId.NOTICE_FIELDS_SAVED)))
        }
        // Where nothing changed the core has kept what was typed.
        val typed = editing.fields().filter { editing.typing.open(it) != null }.map { it.definition.key }
        for (field in typed - changes.map { it.field }.toSet()) compass.saveDraft(session, field, "")
        edits = null
        draw()
    }

    // Actions ------------------------------------------------------------------------------------------------------------------------

    private suspend fun sending(event: RecordEvent, send: suspend () -> Unit) {
        if (!asked.add(event)) return
        show { copy(working = true) }
        try {
            send()
            say(Notice(text(TextId.NOTICE_SENDING)))
        } catch (failure: CompassException) {
            asked.remove(event)
            throw failure
        } finally {
            show { copy(working = false) }
        }
    }

    private suspend fun replay() {
        if (now.menu != RecordMenu.REPLAY) return
        show { copy(menu = null, working = true) }
        try {
            val before = compass.record(session)
            val after = compass.replaySession(session, work.actor).record
            say(replayed(before.actions.filter { it.canReplay }.map { it.key }.toSet(), after.replayedSince(before)))
        } finally {
            show { copy(working = false) }
        }
    }

    private suspend fun preview(key: String) {
        val action = known?.actions?.firstOrNull { it.key == key } ?: return
        // What is frozen is what is sent, no matter what was edited since.
        val frozen = action.deliveries.firstOrNull()
        val body = frozen?.let { compass.deliveryBody(it.id) }
        val (endpoint, shown) = if (body != null) frozen.endpoint to body else compass.preview(session, key).run { endpoint to this.body }
        show { copy(preview = PreviewSheet(key, action.name, endpoint, indented(shown))) }
    }

    private fun question(action: ActionCard) =
        show { copy(abandoning = AbandonQuestion(action.key, action.name, reason = "", work.actor.orEmpty(), asksActor = work.actor == null)) }

    private suspend fun abandon() {
        val question = now.abandoning ?: return
        if (!question.canAbandon) return
        val mayArrive = compass.abandon(session, question.action, question.actor.trim(), question.reason.trim()).inFlight
        show { copy(abandoning = null) }
        if (mayArrive) say(Notice(text(TextId.NOTICE_MAY_ARRIVE)))
    }

    // What is shown ------------------------------------------------------------------------------------------------------------------

    private fun numbers() = NumberInput(work.locale())

    private fun draw() {
        val drawn = known?.draw() ?: return
        val editing = edits?.draw(FieldDrawer(numbers()))
        show { drawn.copy(editing = editing, preview = preview, abandoning = abandoning, menu = menu, working = working, notice = notice) }
    }
}

/** The actions whose messages were asked for again since then. */
private fun SessionRecord.replayedSince(before: SessionRecord): Set<String> {
    val last = before.timeline.maxOfOrNull { it.seq } ?: 0
    return timeline.filter { it.seq > last }.map { it.entry }.filterIsInstance<TimelineEntry.SendRequested>()
        .filter { it.replay }.map { it.action }.toSet()
}

/** What is not sent again although it was delivered is no longer on the phone. */
private fun replayed(could: Set<String>, again: Set<String>): Notice {
    val gone = could - again
    val sent = Text.Count(CountId.WILL_SEND_AGAIN, again.size)
    val lost = Text.Count(CountId.CANNOT_SEND_AGAIN, gone.size)
    return when {
        gone.isEmpty() && again.isEmpty() -> Notice(text(TextId.NOTICE_NOTHING_TO_SEND))
        gone.isEmpty() -> Notice(sent)
        again.isEmpty() -> Notice(lost, failed = true)
        else -> Notice(text(TextId.NOTICE_REPLAYED_IN_PART, sent, lost))
    }
}

/** A record being edited: what was there, and what has changed. */
internal data class Edits(
    val before: SessionRecord,
    val changed: Map<String, Change> = emptyMap(),
    val typing: Typing = Typing(),
    val notes: Map<Int, String> = emptyMap(),
    val reason: String = "",
) {
    // What the path did not ask cannot be edited.
    private val editable get() = before.fields.filter { it.section != null }

    /** The fields that can be edited, with what they hold now. */
    fun fields(): List<FieldView> = editable.map { field ->
        val after = changed[field.definition.key]?.toState()
        FieldView(field.definition, after ?: field.state, draft = if (after == null) field.draft else null)
    }

    /** What differs from before, with what was [read] from typed text. */
    fun changes(read: List<FieldChange>): List<FieldChange> {
        val all = changed + read.associate { it.field to it.change }
        return editable.mapNotNull { field ->
            all[field.definition.key]?.takeIf { it.toState() != field.state }?.let { FieldChange(field.definition.key, it) }
        }
    }

    /** Notes that read differently; a note is never empty. */
    fun changedNotes(): List<NoteChange> = written().filter { after ->
        after.text.isNotBlank() && before.notes.any { it.seq == after.note && it.text != after.text }
    }

    private fun written() = before.notes.map { NoteChange(it.seq, notes[it.seq] ?: it.text.orEmpty()) }

    /** For the screen. */
    fun draw(drawer: FieldDrawer): Editing {
        val fields = fields().map { drawer.draw(it, typing, null) }
        return Editing(fields, written(), reason, canSave = fields.none { it.problem != null })
    }
}
