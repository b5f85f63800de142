package dev.compass.sample.screen

import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.end
import dev.compass.core.model.Command
import dev.compass.core.model.CommandOutcome
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.SessionKey
import dev.compass.core.model.SessionView
import dev.compass.core.testing.FakeCall
import dev.compass.core.testing.FakeCompass
import dev.compass.core.testing.FakeState
import dev.compass.sample.Desk
import dev.compass.sample.assertCounts
import dev.compass.sample.assertSays
import dev.compass.sample.boilerService
import dev.compass.sample.desk
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.FieldUi
import dev.compass.sample.field.InputUi
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.session.SavedMark
import dev.compass.sample.screen.session.SessionDialog
import dev.compass.sample.screen.session.SessionEvent
import dev.compass.sample.screen.session.SessionModel
import dev.compass.sample.screen.session.SessionUiState
import dev.compass.sample.session
import dev.compass.sample.text.CountId
import dev.compass.sample.text.TextId
import java.math.BigDecimal
import java.util.Locale
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.update
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class SessionModelTest {
    private val arrival = at("arrival")
    private val inspection = at("inspection")
    private val closed = at("closed")

    private fun at(section: String) =
        boilerService().let { FakeState(views = mapOf("s" to it.session("s", section)), workflowsByKey = mapOf(it.key to it)) }

    private fun Desk.workOn(compass: Compass) = Workplace(compass, database, network, navigator, preferences)

    private val FakeCompass.view get() = current.views.getValue("s")

    private fun FakeCompass.draft(field: String) = view.fields.first { it.definition.key == field }.draft

    private fun SessionUiState.field(key: String): FieldUi = fields.first { it.key == key }

    private fun typed(field: String, text: String) = SessionEvent.Field(FieldEvent.Typed(field, text))

    private fun left(field: String) = SessionEvent.Field(FieldEvent.Left(field))

    @Test
    fun `it shows one section with its fields, answers and how far it is`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        settle()
        val state = model.state.value
        assertEquals("Arrival and safety", state.sectionName)
        assertEquals(listOf("Read what is on the plate.", "Then measure."), state.paragraphs)
        assertEquals(listOf("safe", "serial"), state.fields.map { it.key })
        assertEquals(listOf("Safe, begin"), state.answers.map { it.name })
        assertEquals(1 to 2, state.progress.step to state.progress.atLeastLeft)
        assertFalse(state.canGoBack || state.canReview)
        assertEquals(SavedMark.SAVED, state.saved)
    }

    @Test
    fun `every letter is kept before the field is done`() = desk(inspection) {
        val model = SessionModel("s", work, scope)
        model.tap(typed("flue_temp", "1"), typed("flue_temp", "18"))
        assertEquals("18", compass.draft("flue_temp"))
        assertTrue(compass.asked.isEmpty(), "${compass.asked}")
        val again = SessionModel("s", work, scope)
        settle()
        assertEquals("18", (again.state.value.field("flue_temp").input as InputUi.Line).text)
    }

    @Test
    fun `a letter typed as the screen goes is kept all the same`() = desk(inspection) {
        val screen = CoroutineScope(scope.coroutineContext + Job())
        val model = SessionModel("s", work, screen)
        settle()
        model.onEvent(typed("flue_temp", "18"))
        settle()
        screen.cancel()
        settle()
        assertEquals("18", compass.draft("flue_temp"))
    }

    @Test
    fun `a line that is left becomes a value`() = desk(inspection, Locale.GERMANY) {
        val model = SessionModel("s", work, scope)
        model.tap(typed("flue_temp", "182,50"), left("flue_temp"))
        assertEquals(FieldState.Provided(FieldValue.Decimal(BigDecimal("182.50"))), compass.view.fields.first().state)
        assertFalse(model.state.value.field("flue_temp").unsaved)
        assertNull(compass.draft("flue_temp"))
    }

    @Test
    fun `what cannot be read stays on the screen with its problem, and is no value`() = desk(inspection) {
        val model = SessionModel("s", work, scope)
        model.tap(typed("flue_temp", "999"), left("flue_temp"))
        val field = model.state.value.field("flue_temp")
        assertSays(TextId.PROBLEM_TOO_LARGE, field.problem)
        assertEquals("999", (field.input as InputUi.Line).text)
        assertEquals(SavedMark.NOT_YET, model.state.value.saved)
        assertEquals("999", compass.draft("flue_temp"))
        assertTrue(compass.asked.isEmpty())
    }

    @Test
    fun `the tap on an answer that leaves a line is not lost while the line is saved`() = desk(arrival) {
        val flash = CompletableDeferred<Unit>()
        val slow = object : Compass by compass {
            override suspend fun run(session: SessionKey, commands: List<Command>, actor: String?, commandId: String?): CommandOutcome {
                flash.await()
                return compass.run(session, commands, actor, commandId)
            }
        }
        val model = SessionModel("s", workOn(slow), scope)
        model.tap(SessionEvent.Field(FieldEvent.Given("safe", FieldValue.Boolean(true))))
        assertEquals(SavedMark.SAVING, model.state.value.saved)
        assertFalse(model.state.value.moving, "the buttons take taps")
        model.tap(SessionEvent.Answered("a1"))
        flash.complete(Unit)
        settle()
        assertEquals("Inspection and combustion", model.state.value.sectionName)
    }

    @Test
    fun `an answer takes what is still half typed along`() = desk(inspection) {
        val model = SessionModel("s", work, scope)
        model.tap(SessionEvent.Field(FieldEvent.MarkedNotApplicable("co_ratio")), typed("flue_temp", "180"), SessionEvent.Answered("a1"))
        assertEquals(listOf("set s co_ratio", "set s flue_temp + answer s 2 a1"), compass.asked)
        assertEquals("Service complete", model.state.value.sectionName)
        assertTrue(model.state.value.canReview)
    }

    @Test
    fun `an answer with something missing says all of it at once`() = desk(inspection) {
        val model = SessionModel("s", work, scope)
        settle()
        assertNull(model.state.value.problems, "a section begins quiet")
        model.tap(SessionEvent.Answered("a1"))
        assertEquals("Inspection and combustion", model.state.value.sectionName)
        assertCounts(CountId.PROBLEMS, 2, model.state.value.problems)
        assertSays(TextId.PROBLEM_REQUIRED, model.state.value.field("flue_temp").problem)
        assertSays(TextId.PROBLEM_REQUIRED, model.state.value.field("co_ratio").problem)
    }

    @Test
    fun `a second tap on an answer does nothing`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        model.tap(SessionEvent.Field(FieldEvent.Given("safe", FieldValue.Boolean(true))))
        model.onEvent(SessionEvent.Answered("a1"))
        model.onEvent(SessionEvent.Answered("a1"))
        settle()
        // The second one was asked of the second section, whose required fields refuse it: nothing is skipped.
        assertEquals("Inspection and combustion", model.state.value.sectionName)
    }

    @Test
    fun `back goes one section back with everything that was typed`() = desk(inspection) {
        val model = SessionModel("s", work, scope)
        model.tap(typed("flue_temp", "180"), typed("co_ratio", "x"), SessionEvent.WentBack)
        assertEquals(listOf("set s flue_temp", "back s 2 1"), compass.asked)
        assertTrue(FakeCall("saveDraft", listOf("s", "co_ratio", "x")) in compass.calls, "what cannot be read stays half typed")
        assertEquals("Arrival and safety", model.state.value.sectionName)
    }

    @Test
    fun `back on the first section leaves the session as it is`() = desk(arrival, at = "workflows session/s") {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.WentBack)
        assertEquals(Screen.Workflows, navigator.stack.value.top)
        assertTrue(compass.asked.isEmpty())
    }

    @Test
    fun `a step of the path can be gone back to`() = desk(closed) {
        val model = SessionModel("s", work, scope)
        model.tap(SessionEvent.StepsOpened)
        assertEquals(SessionDialog.Steps, model.state.value.dialog)
        assertEquals(listOf(1, 2, 3), model.state.value.path.map { it.visit })
        model.tap(SessionEvent.WentBackTo(1))
        assertEquals("back s 3 1", compass.asked.last())
        assertNull(model.state.value.dialog)
    }

    @Test
    fun `clear, not applicable and a choice are kept at once`() = desk(inspection) {
        val model = SessionModel("s", work, scope)
        model.tap(
            SessionEvent.Field(FieldEvent.ToggledOption("work_done", "seals")),
            SessionEvent.Field(FieldEvent.MarkedNotApplicable("co_ratio")),
            SessionEvent.Field(FieldEvent.Cleared("co_ratio")),
        )
        assertEquals(listOf("set s work_done", "set s co_ratio", "set s co_ratio"), compass.asked)
    }

    @Test
    fun `what was read before a tap takes nothing of it back`() = desk(inspection) {
        // Flows tell what was, and say no more than that something has changed.
        val told = MutableStateFlow(compass.view)
        val late = object : Compass by compass {
            override fun observeSession(session: SessionKey): Flow<SessionView> = told
        }
        val model = SessionModel("s", workOn(late), scope)
        for (option in listOf("seals", "trap")) {
            model.tap(SessionEvent.Field(FieldEvent.ToggledOption("work_done", option)))
            told.update { it.copy(startedAt = it.startedAt.plusSeconds(1)) }
            settle()
        }
        val chosen = (model.state.value.field("work_done").input as InputUi.Choice).options.filter { it.chosen }
        assertEquals(listOf("seals", "trap"), chosen.map { it.key })
    }

    @Test
    fun `a response is read, and noted when it was used`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.ResponseOpened("why"))
        assertEquals("why", (model.state.value.dialog as SessionDialog.Response).response.key)
        model.tap(SessionEvent.ResponseUsed)
        assertEquals(listOf("response s why"), compass.asked)
        assertSays(TextId.NOTICE_RESPONSE_USED, model.state.value.notice?.text)
        model.tap(SessionEvent.NoticeShown)
        assertNull(model.state.value.notice)
    }

    @Test
    fun `a note is added, an empty one is not`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.NoteOpened, SessionEvent.NoteTyped("  "), SessionEvent.NoteSaved)
        assertTrue(compass.asked.isEmpty())
        model.tap(SessionEvent.NoteOpened, SessionEvent.NoteTyped("Key next door"), SessionEvent.NoteSaved)
        assertEquals(listOf("Key next door"), model.state.value.notes.map { it.text })
        assertNull(model.state.value.dialog)
    }

    @Test
    fun `a half-typed note is kept, over the death of the phone too, until it is saved`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.NoteOpened, SessionEvent.NoteTyped("Key next"), SessionEvent.Dismissed)
        assertEquals("Key next", compass.view.noteDraft)
        model.tap(SessionEvent.NoteOpened)
        assertEquals(SessionDialog.Note("Key next"), model.state.value.dialog)

        val later = SessionModel("s", work, scope)
        later.tap(SessionEvent.NoteOpened)
        assertEquals(SessionDialog.Note("Key next"), later.state.value.dialog)
        val refused = SessionModel("s", work, scope)
        compass.refuseNext(CompassException(ErrorCode.DISK_FULL), of = "note")
        refused.tap(SessionEvent.NoteOpened)
        refused.onEvent(SessionEvent.NoteTyped("Key next door"))
        refused.onEvent(SessionEvent.NoteSaved)
        settle()
        assertEquals("Key next door", compass.view.noteDraft, "a refused note costs no letter")
        later.tap(SessionEvent.NoteTyped("Key next door"), SessionEvent.NoteSaved)
        assertEquals(listOf("Key next door"), later.state.value.notes.map { it.text })
        assertNull(compass.view.noteDraft)
        later.tap(SessionEvent.NoteOpened)
        assertEquals(SessionDialog.Note(""), later.state.value.dialog)
    }

    @Test
    fun `ending at once needs a reason and leads to the record`() = desk(arrival, at = "workflows session/s") {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.EndOpened, SessionEvent.EndConfirmed)
        assertTrue(compass.asked.isEmpty())
        model.tap(SessionEvent.ReasonTyped("Nobody home"), SessionEvent.EndConfirmed)
        assertEquals(listOf("end s"), compass.asked)
        assertEquals(listOf(Screen.Workflows, Screen.Record("s")), navigator.stack.value.screens)
    }

    @Test
    fun `discarding asks first`() = desk(arrival, at = "workflows session/s") {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.DiscardConfirmed)
        assertTrue(compass.asked.isEmpty(), "without the question there is no answer to it")
        model.tap(SessionEvent.DiscardOpened, SessionEvent.Dismissed)
        assertTrue(compass.asked.isEmpty())
        model.tap(SessionEvent.DiscardOpened, SessionEvent.DiscardConfirmed)
        assertEquals(listOf("discard s"), compass.asked)
        assertEquals(Screen.Workflows, navigator.stack.value.top)
    }

    @Test
    fun `a full disk is said, and the screen stays as it was`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        settle()
        compass.refuseNext(CompassException(ErrorCode.DISK_FULL), of = "setFields")
        model.tap(SessionEvent.Field(FieldEvent.Given("safe", FieldValue.Boolean(true))))
        assertSays(TextId.FAILURE_DISK_FULL, model.state.value.notice?.text)
        assertEquals(InputUi.YesNo(null), model.state.value.field("safe").input)
        assertFalse(model.state.value.moving)
        model.tap(SessionEvent.Field(FieldEvent.Given("safe", FieldValue.Boolean(true))))
        assertEquals(InputUi.YesNo(true), model.state.value.field("safe").input)
    }

    @Test
    fun `a session that is not there any more says so`() = desk(arrival) {
        val model = SessionModel("gone", work, scope)
        settle()
        assertSays(TextId.FAILURE_NOT_FOUND, model.state.value.notice?.text)
    }

    @Test
    fun `a workflow that cannot be read is said, and ends no app`() = desk(arrival) {
        compass.refuseNext(CompassException(ErrorCode.BROKEN_WORKFLOW), of = "workflow")
        val model = SessionModel("s", work, scope)
        settle()
        assertSays(TextId.FAILURE_NOT_STARTABLE, model.state.value.notice?.text)
    }

    @Test
    fun `a session that is over leads to its record`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        compass.end("s", "elsewhere")
        settle()
        assertTrue(model.state.value.closed)
        assertTrue(model.state.value.answers.isEmpty())
        model.tap(SessionEvent.RecordOpened)
        assertEquals(Screen.Record("s"), navigator.stack.value.top)
    }
}
