package dev.compass.sample.screen.session

import dev.compass.core.CompassException
import dev.compass.core.back
import dev.compass.core.discard
import dev.compass.core.end
import dev.compass.core.model.Applied
import dev.compass.core.model.Command
import dev.compass.core.model.CommandOutcome
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldView
import dev.compass.core.model.SessionView
import dev.compass.core.model.Workflow
import dev.compass.core.note
import dev.compass.core.setFields
import dev.compass.core.useResponse
import dev.compass.core.workflow
import dev.compass.sample.field.FieldDrawer
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.NumberInput
import dev.compass.sample.field.Typing
import dev.compass.sample.field.change
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import dev.compass.sample.text.words
import kotlinx.coroutines.CoroutineScope

/** A session, one section at a time. Everything that the technician does is on flash before the screen moves on. */
class SessionModel(
    private val session: String,
    private val work: Workplace,
    scope: CoroutineScope,
) : StateModel<SessionUiState, SessionEvent>(SessionUiState(), scope) {
    private val compass = work.compass
    private var known: SessionView? = null
    private var workflow: Workflow? = null
    private var typing = Typing()

    // As it was typed last; none when nothing was typed yet.
    private var note: String? = null

    // A section begins quiet; what is missing is shown once an answer was tried.
    private var tried = false
    private var saving = false
    private var reading = false

    init {
        follow(compass.observeSession(session)) { read() }
    }

    /** Something has changed. What the flow told may have been read before the latest command was carried out: it is read in its turn. */
    private fun read() {
        if (reading) return
        reading = true
        inTurn {
            reading = false
            arrived(compass.session(session))
        }
    }

    override fun SessionUiState.saying(notice: Notice?) = copy(notice = notice)

    override suspend fun take(event: SessionEvent) {
        when (event) {
            is SessionEvent.Field -> field(event.event)
            is SessionEvent.Answered -> answer(event.answer)
            SessionEvent.WentBack -> back(null)
            is SessionEvent.WentBackTo -> back(event.visit)
            SessionEvent.Reviewed -> review()
            is SessionEvent.ResponseOpened ->
                now.responses.firstOrNull { it.key == event.response }?.let { dialog(SessionDialog.Response(it)) }
            SessionEvent.ResponseUsed -> useResponse()
            SessionEvent.NoteOpened -> dialog(SessionDialog.Note(note ?: known?.noteDraft.orEmpty()))
            is SessionEvent.NoteTyped -> if (now.dialog is SessionDialog.Note) noteTyped(event.text)
            SessionEvent.NoteSaved -> saveNote()
            SessionEvent.StepsOpened -> dialog(SessionDialog.Steps)
            SessionEvent.EndOpened -> dialog(SessionDialog.End(""))
            is SessionEvent.ReasonTyped -> if (now.dialog is SessionDialog.End) dialog(SessionDialog.End(event.reason))
            SessionEvent.EndConfirmed -> end()
            SessionEvent.DiscardOpened -> dialog(SessionDialog.Discard)
            SessionEvent.DiscardConfirmed -> discard()
            SessionEvent.Dismissed -> dialog(null)
            SessionEvent.Left -> leave()
            SessionEvent.RecordOpened -> work.navigator.openOnRoot(Screen.Record(session))
            SessionEvent.NoticeShown -> say(null)
        }
    }

    private fun dialog(dialog: SessionDialog?) = show { copy(dialog = dialog) }

    // Fields -------------------------------------------------------------------------------------------------------------------------

    private suspend fun field(event: FieldEvent) {
        val field = known?.fields?.firstOrNull { it.definition.key == event.field } ?: return
        when (event) {
            is FieldEvent.Typed -> {
                typing = typing.typed(event.field, event.text)
                keepDraft { compass.saveDraft(session, event.field, event.text) }
            }
            is FieldEvent.Left -> keepTyped(listOf(field))
            is FieldEvent.Locating -> typing = typing.searching(event.field)
            is FieldEvent.NotLocated ->
                typing = typing.unable(event.field, if (event.denied) TextId.LOCATION_DENIED else TextId.LOCATION_NOT_FOUND)
            is FieldEvent.NotAttached -> typing = typing.unable(event.field, TextId.FILE_UNREADABLE)
            else -> event.change(field.definition, field.state)?.let { set(listOf(FieldChange(event.field, it))) }
        }
        draw()
    }

    /** Reads what is typed, and sets what can be read; true when nothing is left open. */
    private suspend fun keepTyped(fields: List<FieldView>): Boolean {
        val read = typing.read(fields)
        typing = typing.refused(read.problems)
        val kept = read.changes.isEmpty() || set(read.changes)
        return kept && read.problems.isEmpty()
    }

    private suspend fun set(changes: List<FieldChange>): Boolean = saving(moves = false) {
        try {
            val done = compass.setFields(session, changes, work.actor)
            changes.forEach { change ->
                typing = typing.kept(change.field)
                // Where nothing changed the core has kept the draft.
                if (!done.changed()) compass.saveDraft(session, change.field, "")
            }
            arrived(if (done.changed()) done.view else done.view.withoutDrafts(changes))
            true
        } catch (failure: CompassException) {
            refused(failure)
            false
        }
    }

    private fun CommandOutcome.changed() = applied == Applied.YES

    private fun SessionView.withoutDrafts(changes: List<FieldChange>) =
        copy(fields = fields.map { field -> if (changes.any { it.field == field.definition.key }) field.copy(draft = null) else field })

    private fun refused(failure: CompassException) {
        typing = typing.refused(failure.problems)
        if (failure.problems.isEmpty()) say(Notice(failure.words(), failed = true))
        draw()
    }

    // Moves --------------------------------------------------------------------------------------------------------------------------

    private suspend fun answer(answer: String) {
        val from = known ?: return
        val read = typing.read(from.fields)
        typing = typing.refused(read.problems)
        tried = true
        if (read.problems.isNotEmpty()) return draw()
        val fields = if (read.changes.isEmpty()) emptyList() else listOf(Command.SetFields(read.changes))
        move { compass.run(session, fields + Command.Answer(from.visit, answer), work.actor) }
    }

    private suspend fun back(toVisit: Int?) {
        val from = known ?: return
        if (toVisit == null && from.path.none { it.visit < from.visit }) return leave()
        keepTyped(from.fields)
        move { compass.back(from, toVisit, work.actor) }
    }

    /** On success another section is shown. */
    private suspend fun move(command: suspend () -> CommandOutcome) {
        saving(moves = true) {
            try {
                val done = command()
                typing = Typing()
                tried = false
                show { copy(dialog = null) }
                arrived(done.view)
                if (!done.changed()) say(Notice(text(TextId.NOTICE_MOVED_ON)))
            } catch (failure: CompassException) {
                refused(failure)
            }
        }
    }

    private suspend fun review() {
        val from = known ?: return
        tried = true
        if (keepTyped(from.fields)) work.navigator.open(Screen.Review(session)) else draw()
    }

    /** Out, without loss: what cannot be read stays half typed, on flash. */
    private suspend fun leave() {
        known?.let { keepTyped(it.fields) }
        draftsKept()
        work.navigator.back()
    }

    // The rest -----------------------------------------------------------------------------------------------------------------------

    private suspend fun useResponse() {
        val response = (now.dialog as? SessionDialog.Response)?.response ?: return
        dialog(null)
        arrived(compass.useResponse(session, response.key, work.actor).view)
        say(Notice(text(TextId.NOTICE_RESPONSE_USED)))
    }

    private fun noteTyped(text: String) {
        note = text
        keepDraft { compass.saveNoteDraft(session, text) }
        dialog(SessionDialog.Note(text))
    }

    private suspend fun saveNote() {
        val written = (now.dialog as? SessionDialog.Note)?.text ?: return
        if (written.isNotBlank()) {
            arrived(compass.note(session, written, work.actor).view)
            note = null
            say(Notice(text(TextId.NOTICE_NOTE_SAVED)))
        }
        dialog(null)
    }

    private suspend fun end() {
        val question = now.dialog as? SessionDialog.End ?: return
        if (!question.canEnd) return
        known?.let { keepTyped(it.fields) }
        compass.end(session, question.reason.trim(), work.actor)
        dialog(null)
        work.navigator.openOnRoot(Screen.Record(session))
    }

    private suspend fun discard() {
        if (now.dialog != SessionDialog.Discard) return
        compass.discard(session, work.actor)
        dialog(null)
        work.navigator.back()
    }

    // What is shown ------------------------------------------------------------------------------------------------------------------

    private suspend fun arrived(session: SessionView) {
        if (workflow == null) workflow = compass.workflow(session.workflow)
        // A move by this model is known already; a later one takes the open texts of the section along.
        if (known != null && known?.visit != session.visit) tried = false
        known = session
        draw()
    }

    private fun numbers() = NumberInput(work.locale())

    /** Only a move keeps taps back: the tap on an answer is often what a line is left by, and must not be lost. */
    private suspend fun <T> saving(moves: Boolean, command: suspend () -> T): T {
        saving = true
        show { copy(moving = moves, saved = SavedMark.SAVING) }
        try {
            return command()
        } finally {
            saving = false
            show { copy(moving = false) }
            draw()
        }
    }

    private fun draw() {
        val session = known ?: return
        val drawn = session.draw(workflow, FieldDrawer(numbers()), typing, tried)
        // Half-typed text is on flash, too; only what was refused waits for the technician.
        val refused = session.fields.any { typing.open(it) != null && it.definition.key in typing.problems }
        show {
            drawn.copy(
                saved = if (saving) SavedMark.SAVING else if (refused) SavedMark.NOT_YET else SavedMark.SAVED,
                moving = moving,
                dialog = dialog,
                notice = notice,
            )
        }
    }
}
