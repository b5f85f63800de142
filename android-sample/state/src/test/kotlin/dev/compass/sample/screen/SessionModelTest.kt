package dev.compass.sample.screen

import dev.compass.sample.assertCounts
import dev.compass.sample.assertSays
import dev.compass.sample.desk
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.FieldUi
import dev.compass.sample.field.InputUi
import dev.compass.sample.gateway.Done
import dev.compass.sample.gateway.FakePhone
import dev.compass.sample.gateway.FieldChange
import dev.compass.sample.gateway.FieldGateway
import dev.compass.sample.gateway.GatewayFailure
import dev.compass.sample.gateway.Holding
import dev.compass.sample.gateway.SessionNow
import dev.compass.sample.gateway.Value
import dev.compass.sample.gateway.WorkflowOutline
import dev.compass.sample.gateway.session
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.session.SavedMark
import dev.compass.sample.screen.session.SessionDialog
import dev.compass.sample.screen.session.SessionEvent
import dev.compass.sample.screen.session.SessionModel
import dev.compass.sample.screen.session.SessionUiState
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
    private val boiler = FakePhone.boilerService()
    private val arrival = FakePhone(listOf(boiler), mapOf("s" to boiler.session("s", "arrival")))
    private val inspection = FakePhone(listOf(boiler), mapOf("s" to boiler.session("s", "inspection")))
    private val closed = FakePhone(listOf(boiler), mapOf("s" to boiler.session("s", "closed")))

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
        assertEquals(listOf("Safe, begin"), state.answers.map { it.label })
        assertEquals(1 to 2, state.progress.step to state.progress.atLeastLeft)
        assertFalse(state.canGoBack || state.canReview)
        assertEquals(SavedMark.SAVED, state.saved)
    }

    @Test
    fun `every letter is kept before the field is done`() = desk(inspection) {
        val model = SessionModel("s", work, scope)
        model.tap(typed("flue_temp", "1"), typed("flue_temp", "18"))
        assertEquals("18", gateway.drafts["s" to "flue_temp"])
        assertTrue(gateway.calls.isEmpty(), "${gateway.calls}")
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
        assertEquals("18", gateway.drafts["s" to "flue_temp"])
    }

    @Test
    fun `a line that is left becomes a value`() = desk(inspection, Locale.GERMANY) {
        val model = SessionModel("s", work, scope)
        model.tap(typed("flue_temp", "182,50"), left("flue_temp"))
        assertEquals(Holding.Given(Value.Exact(BigDecimal("182.50"))), gateway.shown.sessions.getValue("s").fields.first().holding)
        assertFalse(model.state.value.field("flue_temp").unsaved)
        assertNull(gateway.drafts["s" to "flue_temp"])
    }

    @Test
    fun `what cannot be read stays on the screen with its problem, and is no value`() = desk(inspection) {
        val model = SessionModel("s", work, scope)
        model.tap(typed("flue_temp", "999"), left("flue_temp"))
        val field = model.state.value.field("flue_temp")
        assertSays(TextId.PROBLEM_TOO_LARGE, field.problem)
        assertEquals("999", (field.input as InputUi.Line).text)
        assertEquals(SavedMark.NOT_YET, model.state.value.saved)
        assertEquals("999", gateway.drafts["s" to "flue_temp"])
        assertTrue(gateway.calls.isEmpty())
    }

    @Test
    fun `the tap on an answer that leaves a line is not lost while the line is saved`() = desk(arrival) {
        val flash = CompletableDeferred<Unit>()
        val slow = object : FieldGateway by gateway {
            override suspend fun setFields(session: String, changes: List<FieldChange>, actor: String?): Done {
                flash.await()
                return gateway.setFields(session, changes, actor)
            }
        }
        val model = SessionModel("s", Workplace(slow, navigator, preferences), scope)
        model.tap(SessionEvent.Field(FieldEvent.AnsweredYesNo("safe", true)))
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
        assertEquals(listOf("set s co_ratio", "answer s 2 a1"), gateway.calls)
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
        model.tap(SessionEvent.Field(FieldEvent.AnsweredYesNo("safe", true)))
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
        assertEquals(listOf("set s flue_temp", "back s 2 1"), gateway.calls)
        assertEquals("x", gateway.drafts["s" to "co_ratio"])
        assertEquals("Arrival and safety", model.state.value.sectionName)
    }

    @Test
    fun `back on the first section leaves the session as it is`() = desk(arrival, at = "workflows session/s") {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.WentBack)
        assertEquals(Screen.Workflows, navigator.stack.value.top)
        assertTrue(gateway.calls.isEmpty())
    }

    @Test
    fun `a step of the path can be gone back to`() = desk(closed) {
        val model = SessionModel("s", work, scope)
        model.tap(SessionEvent.StepsOpened)
        assertEquals(SessionDialog.Steps, model.state.value.dialog)
        assertEquals(listOf(1, 2, 3), model.state.value.path.map { it.visit })
        model.tap(SessionEvent.WentBackTo(1))
        assertEquals("back s 3 1", gateway.calls.last())
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
        assertEquals(listOf("set s work_done", "set s co_ratio", "set s co_ratio"), gateway.calls)
    }

    @Test
    fun `what was read before a tap takes nothing of it back`() = desk(inspection) {
        // Flows tell what was, and say no more than that something has changed.
        val told = MutableStateFlow(gateway.now("s"))
        val late = object : FieldGateway by gateway {
            override fun session(key: String): Flow<SessionNow> = told
        }
        val model = SessionModel("s", Workplace(late, navigator, preferences), scope)
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
        assertEquals(listOf("response s why"), gateway.calls)
        assertSays(TextId.NOTICE_RESPONSE_USED, model.state.value.notice?.text)
        model.tap(SessionEvent.NoticeShown)
        assertNull(model.state.value.notice)
    }

    @Test
    fun `a note is added, an empty one is not`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.NoteOpened, SessionEvent.NoteTyped("  "), SessionEvent.NoteSaved)
        assertTrue(gateway.calls.isEmpty())
        model.tap(SessionEvent.NoteOpened, SessionEvent.NoteTyped("Key next door"), SessionEvent.NoteSaved)
        assertEquals(listOf("Key next door"), model.state.value.notes.map { it.text })
        assertNull(model.state.value.dialog)
    }

    @Test
    fun `a half-typed note is kept, over the death of the phone too, until it is saved`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.NoteOpened, SessionEvent.NoteTyped("Key next"), SessionEvent.Dismissed)
        assertEquals("Key next", gateway.noteDrafts["s"])
        model.tap(SessionEvent.NoteOpened)
        assertEquals(SessionDialog.Note("Key next"), model.state.value.dialog)

        val later = SessionModel("s", work, scope)
        later.tap(SessionEvent.NoteOpened)
        assertEquals(SessionDialog.Note("Key next"), later.state.value.dialog)
        val refusing = object : FieldGateway by gateway {
            override suspend fun note(session: String, text: String, actor: String?, command: String): Done = throw GatewayFailure("disk_full")
        }
        val refused = SessionModel("s", Workplace(refusing, navigator, preferences), scope)
        refused.tap(SessionEvent.NoteOpened)
        refused.onEvent(SessionEvent.NoteTyped("Key next door"))
        refused.onEvent(SessionEvent.NoteSaved)
        settle()
        assertEquals("Key next door", gateway.noteDrafts["s"], "a refused note costs no letter")
        later.tap(SessionEvent.NoteTyped("Key next door"), SessionEvent.NoteSaved)
        assertEquals(listOf("Key next door"), later.state.value.notes.map { it.text })
        assertNull(gateway.noteDrafts["s"])
        later.tap(SessionEvent.NoteOpened)
        assertEquals(SessionDialog.Note(""), later.state.value.dialog)
    }

    @Test
    fun `ending at once needs a reason and leads to the record`() = desk(arrival, at = "workflows session/s") {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.EndOpened, SessionEvent.EndConfirmed)
        assertTrue(gateway.calls.isEmpty())
        model.tap(SessionEvent.ReasonTyped("Nobody home"), SessionEvent.EndConfirmed)
        assertEquals(listOf("end s"), gateway.calls)
        assertEquals(listOf(Screen.Workflows, Screen.Record("s")), navigator.stack.value.screens)
    }

    @Test
    fun `discarding asks first`() = desk(arrival, at = "workflows session/s") {
        val model = SessionModel("s", work, scope)
        settle()
        model.tap(SessionEvent.DiscardConfirmed)
        assertTrue(gateway.calls.isEmpty(), "without the question there is no answer to it")
        model.tap(SessionEvent.DiscardOpened, SessionEvent.Dismissed)
        assertTrue(gateway.calls.isEmpty())
        model.tap(SessionEvent.DiscardOpened, SessionEvent.DiscardConfirmed)
        assertEquals(listOf("discard s"), gateway.calls)
        assertEquals(Screen.Workflows, navigator.stack.value.top)
    }

    @Test
    fun `a full disk is said, and the screen stays as it was`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        settle()
        gateway.show { copy(failure = GatewayFailure("disk_full")) }
        model.tap(SessionEvent.Field(FieldEvent.AnsweredYesNo("safe", true)))
        assertSays(TextId.FAILURE_DISK_FULL, model.state.value.notice?.text)
        assertEquals(InputUi.YesNo(null), model.state.value.field("safe").input)
        assertFalse(model.state.value.moving)
        gateway.show { copy(failure = null) }
        model.tap(SessionEvent.Field(FieldEvent.AnsweredYesNo("safe", true)))
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
        val broken = object : FieldGateway by gateway {
            override suspend fun outlineOf(session: SessionNow): WorkflowOutline = throw GatewayFailure("broken_workflow")
        }
        val model = SessionModel("s", Workplace(broken, navigator, preferences), scope)
        settle()
        assertSays(TextId.FAILURE_NOT_STARTABLE, model.state.value.notice?.text)
    }

    @Test
    fun `a session that is over leads to its record`() = desk(arrival) {
        val model = SessionModel("s", work, scope)
        gateway.end("s", "elsewhere", null, "c")
        settle()
        assertTrue(model.state.value.closed)
        assertTrue(model.state.value.answers.isEmpty())
        model.tap(SessionEvent.RecordOpened)
        assertEquals(Screen.Record("s"), navigator.stack.value.top)
    }
}
