package dev.compass.sample.screen.record

import dev.compass.sample.field.FieldDrawer
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.FieldReader
import dev.compass.sample.field.NumberInput
import dev.compass.sample.field.Typing
import dev.compass.sample.field.holding
import dev.compass.sample.field.open
import dev.compass.sample.gateway.FieldChange
import dev.compass.sample.gateway.GatewayFailure
import dev.compass.sample.gateway.Holding
import dev.compass.sample.gateway.RecordField
import dev.compass.sample.gateway.RecordNow
import dev.compass.sample.gateway.SessionField
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import dev.compass.sample.text.words
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.first

/** The record of a session: what happened, what was answered, and what became of its actions. */
class RecordModel(private val session: String, private val work: Workplace, scope: CoroutineScope) :
    StateModel<RecordUiState, RecordEvent>(RecordUiState(), scope) {
    private val gateway = work.gateway
    private var known: RecordNow? = null
    private var edits: Edits? = null

    // A second tap on "send" was meant for the same message; what became of the first shows with the next record.
    private val asked = mutableSetOf<RecordEvent>()

    init {
        follow(gateway.record(session)) {
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
            is RecordEvent.NoteTyped -> edits?.let { edit(it.copy(notes = it.notes + (event.number to event.text))) }
            RecordEvent.EditSaved -> saveEdit()
            RecordEvent.Dismissed -> {
                // What was typed into a field stays for the next time, what was tapped is forgotten.
                edits = null
                show { copy(editing = null, preview = null, abandoning = null) }
            }
            is RecordEvent.SendTapped -> sending(event) { gateway.send(session, event.action, work.actor, work.newCommand()) }
            is RecordEvent.SendCorrectedTapped -> sending(event) { gateway.sendCorrected(session, event.action, work.actor, work.newCommand()) }
            is RecordEvent.PreviewOpened -> preview(event.action)
            is RecordEvent.AbandonOpened -> action(event.action)?.let { question(it) }
            is RecordEvent.AbandonReasonTyped -> show { copy(abandoning = abandoning?.copy(reason = event.reason)) }
            is RecordEvent.AbandonActorTyped -> show { copy(abandoning = abandoning?.copy(actor = event.actor)) }
            RecordEvent.AbandonConfirmed -> abandon()
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
        edit(Edits(gateway.record(session).first()))
    }

    private fun edit(changed: Edits) {
        edits = changed
        draw()
    }

    private fun field(event: FieldEvent) {
        val editing = edits ?: return
        val field = editing.fields().firstOrNull { it.info.key == event.field } ?: return
        val typing = editing.typing
        val after = when (event) {
            is FieldEvent.Typed -> {
                keepDraft { gateway.saveDraft(session, event.field, event.text) }
                editing.copy(typing = typing.typed(event.field, event.text))
            }
            // All of it is read when it is saved.
            is FieldEvent.Left -> editing
            is FieldEvent.Locating -> editing.copy(typing = typing.searching(event.field))
            is FieldEvent.NotLocated ->
                editing.copy(typing = typing.unable(event.field, if (event.denied) TextId.LOCATION_DENIED else TextId.LOCATION_NOT_FOUND))
            is FieldEvent.NotAttached -> editing.copy(typing = typing.unable(event.field, TextId.FILE_UNREADABLE))
            else -> {
                val holding = event.holding(field.info, field.holding) ?: return
                if (typing.open(field) != null) keepDraft { gateway.saveDraft(session, event.field, "") }
                editing.copy(holdings = editing.holdings + (event.field to holding), typing = typing.kept(event.field))
            }
        }
        edit(after)
    }

    private suspend fun saveEdit() {
        val editing = edits ?: return
        val read = FieldReader(gateway, session).read(editing.fields(), editing.typing)
        if (read.problems.isNotEmpty()) return edit(editing.copy(typing = editing.typing.refused(read.problems)))
        val changes = editing.changes(read.changes)
        val notes = editing.changedNotes()
        if (changes.isNotEmpty() || notes.isNotEmpty()) {
            try {
                gateway.edit(session, changes, notes, work.actor, work.newCommand())
            } catch (failure: GatewayFailure) {
                if (failure.problems.isEmpty()) throw failure
                return edit(editing.copy(typing = editing.typing.refused(failure.problems)))
            }
            say(Notice(text(TextId.NOTICE_FIELDS_SAVED)))
        }
        // Where nothing changed the core has kept what was typed.
        val unchanged = editing.fields().filter { editing.typing.open(it) != null }.map { it.info.key } - changes.map { it.field }.toSet()
        for (field in unchanged) gateway.saveDraft(session, field, "")
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
        } catch (failure: GatewayFailure) {
            asked.remove(event)
            throw failure
        } finally {
            show { copy(working = false) }
        }
    }

    private suspend fun preview(key: String) {
        val action = action(key) ?: return
        val preview = gateway.preview(session, key)
        show { copy(preview = PreviewSheet(key, action.name, preview.endpoint, indented(preview.body))) }
    }

    private fun question(action: ActionCard) =
        show { copy(abandoning = AbandonQuestion(action.key, action.name, reason = "", work.actor.orEmpty(), asksActor = work.actor == null)) }

    private suspend fun abandon() {
        val question = now.abandoning ?: return
        if (!question.canAbandon) return
        val mayArrive = gateway.abandon(session, question.action, question.actor.trim(), question.reason.trim(), work.newCommand())
        show { copy(abandoning = null) }
        if (mayArrive) say(Notice(text(TextId.NOTICE_MAY_ARRIVE)))
    }

    // What is shown ------------------------------------------------------------------------------------------------------------------

    private fun numbers() = NumberInput(work.locale())

    private fun draw() {
        val drawn = known?.draw() ?: return
        val editing = edits?.draw(FieldDrawer(numbers()))
        show { drawn.copy(editing = editing, preview = preview, abandoning = abandoning, working = working, notice = notice) }
    }
}

/** A record being edited: what was there, and what has changed. */
internal data class Edits(
    val before: RecordNow,
    val holdings: Map<String, Holding> = emptyMap(),
    val typing: Typing = Typing(),
    val notes: Map<Int, String> = emptyMap(),
) {
    /** The fields that can be edited, with what they hold now. */
    fun fields(): List<SessionField> = editable().map { field ->
        holdings[field.info.key]?.let { SessionField(field.info, it) } ?: SessionField(field.info, field.holding, field.draft)
    }

    private fun editable(): List<RecordField> = before.fields.filter { it.onPath }

    /** What differs from before, with what was [read] from typed text. */
    fun changes(read: List<FieldChange>): List<FieldChange> {
        val after = holdings + read.associate { it.field to it.to }
        return editable().mapNotNull { field ->
            after[field.info.key]?.takeIf { it != field.holding }?.let { FieldChange(field.info.key, it) }
        }
    }

    /** Notes that read differently; a note is never empty. */
    fun changedNotes(): Map<Int, String> =
        notes.filter { (number, text) -> text.isNotBlank() && before.notes.any { it.number == number && it.text != text } }

    /** For the screen. */
    fun draw(drawer: FieldDrawer): Editing {
        val fields = fields().map { drawer.draw(it, typing, null) }
        return Editing(
            fields,
            before.notes.map { EditedNote(it.number, notes[it.number] ?: it.text) },
            canSave = fields.none { it.problem != null },
        )
    }
}
