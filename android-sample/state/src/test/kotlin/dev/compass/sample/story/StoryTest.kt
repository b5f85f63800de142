package dev.compass.sample.story

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.FlushEnd
import dev.compass.core.model.SessionState
import dev.compass.core.start
import dev.compass.core.testing.FakeCompass
import dev.compass.sample.Shown
import dev.compass.sample.assertCounts
import dev.compass.sample.assertSays
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.FieldMark
import dev.compass.sample.field.InputUi
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.outbox.OutboxEvent
import dev.compass.sample.screen.outbox.OutboxModel
import dev.compass.sample.screen.record.RecordEvent
import dev.compass.sample.screen.record.RecordModel
import dev.compass.sample.screen.review.ReviewEvent
import dev.compass.sample.screen.review.ReviewModel
import dev.compass.sample.screen.session.SessionEvent
import dev.compass.sample.screen.session.SessionModel
import dev.compass.sample.screen.sessions.SessionsEvent
import dev.compass.sample.screen.sessions.SessionsFilter
import dev.compass.sample.screen.sessions.SessionsModel
import dev.compass.sample.screen.settings.EndpointForm
import dev.compass.sample.screen.settings.SettingsEvent
import dev.compass.sample.screen.settings.SettingsModel
import dev.compass.sample.screen.status.StatusIcon
import dev.compass.sample.screen.workflow.WorkflowEvent
import dev.compass.sample.screen.workflow.WorkflowModel
import dev.compass.sample.screen.workflows.WorkflowsEvent
import dev.compass.sample.screen.workflows.WorkflowsModel
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import java.math.BigDecimal
import java.nio.file.Files
import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** A technician's day, with the real core under the screens. */
class StoryTest {
    @TempDir
    lateinit var folder: Path

    private val office = Office()

    private fun field(event: FieldEvent) = SessionEvent.Field(event)

    private fun Phone.shown(): Shown = app.show(navigator.stack.value.top, scope)

    private fun Phone.workflows(): WorkflowsModel = (shown() as Shown.Workflows).model

    private fun Phone.session(): SessionModel = (shown() as Shown.Session).model

    private fun Phone.review(): ReviewModel = (shown() as Shown.Review).model

    private fun Phone.record(): RecordModel = (shown() as Shown.Record).model

    private suspend fun Phone.at(what: (Screen) -> Boolean) {
        withTimeout(20.seconds) { navigator.stack.first { what(it.top) } }
    }

    /** Imports the workflow and sets the office up, on the settings screen. */
    private suspend fun Phone.setUp(workflow: ByteArray = example("customer-visit")) {
        navigator.open(Screen.Settings)
        val settings: SettingsModel = (shown() as Shown.Settings).model
        settings.until { !it.loading }
        settings.onEvent(SettingsEvent.WorkflowChosen(workflow))
        settings.until { it.notice != null }
        settings.onEvent(SettingsEvent.IntegrationSwitched(true))
        settings.onEvent(SettingsEvent.EndpointAdded)
        settings.onEvent(SettingsEvent.EndpointTyped(EndpointForm("office", "https://office.test/hooks/t0p", secret = Phone.SECRET)))
        settings.onEvent(SettingsEvent.EndpointSaved)
        val row = settings.until { it.integrationEnabled && it.endpoints.isNotEmpty() && it.editing == null }.endpoints.single()
        assertEquals("https://office.test", row.origin, "the path of an address is nobody's business")
        assertTrue(row.secretStored)
        navigator.open(Screen.Workflows)
    }

    private val pumpCheck = """{
      "format": 1, "key": "pump-check", "version": 1, "name": "Pump check", "start": "arrive",
      "fields": [
        { "key": "site", "name": "Site", "type": "text", "required": true },
        { "key": "pressure", "name": "Pressure", "type": "decimal", "max": "4.0", "required": true }
      ],
      "sections": [
        { "key": "arrive", "name": "Arrive", "content": "Find the pump.", "fields": ["site", "pressure"],
          "answers": [ { "key": "on", "name": "Go on", "next": "done" } ] },
        { "key": "done", "name": "Done", "content": "Good bye.", "win": true,
          "actions": [ { "key": "report", "name": "Report", "integration": "webhooks", "kind": "send_message", "endpoint": "office" } ] }
      ]
    }""".toByteArray()

    private suspend fun Phone.startPumpCheck(): SessionModel {
        val list = workflows()
        list.until { it.workflows.isNotEmpty() }
        list.onEvent(WorkflowsEvent.Started("pump-check"))
        at { it is Screen.Session }
        return session().also { model -> model.until { !it.loading } }
    }

    private suspend fun SessionModel.fillIn() {
        onEvent(field(FieldEvent.Typed("site", "Mill Lane")))
        onEvent(field(FieldEvent.Typed("pressure", "2.50")))
        onEvent(SessionEvent.Answered("on"))
        until { it.canReview }
    }

    private suspend fun Phone.complete(session: SessionModel): RecordModel {
        session.onEvent(SessionEvent.Reviewed)
        at { it is Screen.Review }
        val review = review()
        review.until { it.canComplete }
        review.onEvent(ReviewEvent.Completed)
        at { it is Screen.Record }
        return record().also { model -> model.until { it.actions.isNotEmpty() } }
    }

    @Test
    fun `start, fill, back, complete offline, connectivity returns, the record shows sent`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        phone.setUp(pumpCheck)
        phone.network(there = false)
        val strip = phone.app.status(phone.scope)

        val session = phone.startPumpCheck()
        session.onEvent(SessionEvent.Answered("on"))
        assertCounts(CountId.PROBLEMS, 2, session.until { it.problems != null }.problems)
        session.onEvent(field(FieldEvent.Typed("pressure", "9")))
        session.onEvent(field(FieldEvent.Left("pressure")))
        val refused = session.until { state -> state.fields[1].problem.let { it is Text.Message && it.id == TextId.PROBLEM_TOO_LARGE } }
        assertEquals("9", (refused.fields[1].input as InputUi.Line).text)
        session.fillIn()

        // Back without loss, and on again.
        session.onEvent(SessionEvent.WentBack)
        val back = session.until { it.sectionName == "Arrive" }
        assertEquals(listOf("Mill Lane", "2.50"), back.fields.map { (it.input as InputUi.Line).text })
        session.onEvent(SessionEvent.Answered("on"))
        session.until { it.canReview }

        session.onEvent(SessionEvent.Reviewed)
        phone.at { it is Screen.Review }
        val review = phone.review()
        val asked = review.until { it.canComplete }
        assertEquals(listOf("Report" to "office"), asked.messages.map { it.name to it.endpoint })
        assertFalse(asked.integrationOff)
        assertTrue(asked.win)
        review.onEvent(ReviewEvent.Completed)
        phone.at { it is Screen.Record }

        val record = phone.record()
        val waiting = record.until { it.actions.isNotEmpty() }
        assertEquals(ActionStatus.PENDING, waiting.actions.single().state)
        assertTrue(waiting.won)
        assertEquals(TextId.SESSION_WON, (waiting.stateText as Text.Message).id)
        val offline = strip.until { it.icon == StatusIcon.NO_SIGNAL && it.text is Text.Count }
        assertCounts(CountId.STATUS_NO_SIGNAL_WAITING, 1, offline.text)
        assertTrue(office.received.isEmpty())

        phone.network(there = true)
        val outbox = OutboxModel(phone.work, phone.scope)
        outbox.until { it.canSendNow }
        outbox.onEvent(OutboxEvent.SendNow)
        assertCounts(CountId.SENT_NOW, 1, outbox.until { it.notice != null }.notice?.text)

        val sent = record.until { it.actions.single().state == ActionStatus.SENT }.actions.single()
        assertSays(TextId.ACTION_SENT_AT, sent.detail)
        assertSays(TextId.ATTEMPT_SENT, sent.attemptLines.single())
        assertEquals(StatusIcon.ALL_SENT, strip.until { it.icon == StatusIcon.ALL_SENT }.icon)
        assertTrue("\"value\":2.50" in office.received.single(), office.received.single())
        phone.shutDown()
    }

    @Test
    fun `a dead battery costs nothing that was typed, and the technician is where he was`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        phone.setUp(pumpCheck)
        val session = phone.startPumpCheck()
        session.onEvent(field(FieldEvent.Typed("site", "Mill Lane")))
        session.onEvent(field(FieldEvent.Left("site")))
        session.until { it.fields[0].mark == FieldMark.PROVIDED }
        session.onEvent(field(FieldEvent.Typed("pressure", "2.")))
        val key = (phone.navigator.stack.value.top as Screen.Session).key
        // The letters are on flash when another look at the session finds them.
        while (phone.compass.session(key).fields[1].draft != "2.") yield()
        val kept = phone.navigator.save()
        val after = pullBattery(folder, folder.resolve("after"))

        val again = Phone.switchOn(after, office, this, kept)
        assertEquals(Screen.Session(key), again.navigator.stack.value.top)
        val restored = again.session().until { !it.loading }
        assertEquals("Arrive", restored.sectionName)
        assertEquals(listOf("Mill Lane", "2."), restored.fields.map { (it.input as InputUi.Line).text })
        assertTrue(restored.fields[1].unsaved)

        val list = WorkflowsModel(again.work, again.scope)
        assertEquals(key, list.until { it.resume != null }.resume?.session)

        val model = again.session()
        model.until { !it.loading }
        model.onEvent(field(FieldEvent.Typed("pressure", "2.5")))
        model.onEvent(SessionEvent.Answered("on"))
        model.until { it.canReview }
        val record = again.complete(model)
        assertEquals(ActionStatus.PENDING, record.state.value.actions.single().state)
        again.shutDown()
        phone.shutDown()
    }

    @Test
    fun `a refused message is corrected on its record and sent again`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        phone.setUp(pumpCheck)
        office.status = 422
        val session = phone.startPumpCheck()
        session.fillIn()
        val record = phone.complete(session)
        phone.sendNow()
        val failed = record.until { it.actions.single().state == ActionStatus.FAILED }.actions.single()
        assertSays(TextId.REASON_REJECTED, failed.reason)
        assertTrue(failed.canSend && !failed.canSendCorrected, "nothing was edited yet")
        val strip = phone.app.status(phone.scope)
        assertCounts(CountId.STATUS_NEEDS_PERSON, 1, strip.until { it.icon == StatusIcon.NEEDS_PERSON }.text)

        record.onEvent(RecordEvent.SendCorrectedTapped("report"))
        assertSays(TextId.FAILURE_NOTHING_CORRECTED, record.until { it.notice?.failed == true }.notice?.text)
        record.onEvent(RecordEvent.EditOpened)
        record.until { it.editing != null }
        record.onEvent(RecordEvent.Field(FieldEvent.Typed("pressure", "7")))
        record.onEvent(RecordEvent.EditSaved)
        record.until { it.editing?.fields?.any { field -> field.problem != null } == true }
        record.onEvent(RecordEvent.Field(FieldEvent.Typed("pressure", "3.75")))
        record.onEvent(RecordEvent.EditSaved)
        record.until { state -> state.editing == null && state.fields.any { it.value == Text.Number(BigDecimal("3.75")) } }
        val edited = record.until { it.actions.single().canSendCorrected }.actions.single()
        assertSays(TextId.ACTION_OLDER_WAITS, edited.warnings.last())
        office.status = 200
        record.onEvent(RecordEvent.SendCorrectedTapped("report"))
        record.until { it.actions.single().state == ActionStatus.PENDING }
        phone.sendNow()
        record.until { it.actions.single().state == ActionStatus.SENT }
        assertTrue("3.75" in office.received.last())
        record.onEvent(RecordEvent.PreviewOpened("report"))
        val preview = record.until { it.preview != null }.preview
        assertTrue("\n  \"key\": " in preview!!.body && "3.75" in preview.body, preview.body)
        assertTrue(record.state.value.timeline.any { it.text is Text.Message && (it.text as Text.Message).id == TextId.TIMELINE_SEND_CORRECTED })

        // A message that was sent is corrected, too.
        record.onEvent(RecordEvent.Dismissed)
        record.onEvent(RecordEvent.EditOpened)
        record.until { it.editing != null }
        record.onEvent(RecordEvent.Field(FieldEvent.Typed("pressure", "3.25")))
        record.onEvent(RecordEvent.EditReasonTyped("Misread"))
        record.onEvent(RecordEvent.EditSaved)
        val older = record.until { it.actions.single().canSendCorrected }.actions.single()
        assertSays(TextId.ACTION_OLDER_DELIVERED, older.warnings.last())
        val said = record.state.value.timeline.map { it.text }
        assertTrue(text(TextId.TIMELINE_EDIT_REASON, Text.Plain("Misread")) in said, "$said")
        val list = SessionsModel(phone.work, phone.scope)
        assertTrue(list.until { it.sessions.isNotEmpty() }.sessions.single().changed)
        record.onEvent(RecordEvent.SendCorrectedTapped("report"))
        record.until { it.actions.single().state == ActionStatus.PENDING }
        phone.sendNow()
        val sent = record.until { it.actions.single().state == ActionStatus.SENT }.actions.single()
        assertFalse(sent.canSendCorrected)
        assertTrue("3.25" in office.received.last())
        assertFalse(list.until { state -> state.sessions.none { it.changed } }.sessions.isEmpty())
        val versions = sent.messages.map { it.text as Text.Message }
        assertEquals(listOf(TextId.VERSION_FIRST, TextId.VERSION_CORRECTION, TextId.VERSION_CORRECTION), versions.map { it.id })
        assertEquals(listOf(TextId.VERSION_REPLACED, TextId.VERSION_SENT, TextId.VERSION_SENT), versions.map { (it.args[1] as Text.Message).id })

        // The office has lost it: the same message once more.
        assertTrue(record.state.value.canReplay)
        record.onEvent(RecordEvent.MenuOpened)
        record.onEvent(RecordEvent.ReplayOpened)
        record.onEvent(RecordEvent.ReplayConfirmed)
        assertCounts(CountId.WILL_SEND_AGAIN, 1, record.until { state -> state.notice.let { it?.text is Text.Count } }.notice?.text)
        phone.sendNow()
        val again = record.until { state -> state.actions.single().messages.any { (it.text as Text.Message).id == TextId.REPLAY_SENT } }
        assertTrue(again.actions.single().messages.last().replay)
        assertEquals(1, office.received.toList().takeLast(2).toSet().size)
        assertTrue(again.timeline.any { it.text is Text.Message && (it.text as Text.Message).id == TextId.TIMELINE_REPLAYED })
        phone.shutDown()
    }

    @Test
    fun `an action is added to a section in three taps, and removed again`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        phone.setUp(pumpCheck)
        phone.workflows().onEvent(WorkflowsEvent.Opened("pump-check"))
        phone.at { it is Screen.Workflow }
        val model: WorkflowModel = (phone.shown() as Shown.Workflow).model
        assertEquals(listOf("Arrive", "Done"), model.until { !it.loading }.sections.map { it.name })
        model.onEvent(WorkflowEvent.AddOpened("arrive"))
        model.until { it.adding != null }
        model.onEvent(WorkflowEvent.EndpointChosen("office"))
        model.onEvent(WorkflowEvent.AddConfirmed)
        val added = model.until { it.version == "1.1" }
        assertEquals(listOf("office"), added.sections.first().actions.map { it.endpoint })
        assertTrue(added.startable)
        model.onEvent(WorkflowEvent.RemoveOpened("arrive", added.sections.first().actions.single().key))
        model.until { it.removing != null }
        model.onEvent(WorkflowEvent.RemoveConfirmed)
        assertEquals(emptyList<Any>(), model.until { it.version == "1.2" }.sections.first().actions)
        phone.shutDown()
    }

    @Test
    fun `an incomplete workflow is listed with its findings and cannot be started`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        phone.setUp(String(pumpCheck).replace(", \"next\": \"done\"", "").toByteArray())
        val list = phone.workflows()
        val card = list.until { it.workflows.isNotEmpty() }.workflows.single()
        assertFalse(card.startable)
        assertEquals(Text.Message(TextId.FINDING_UNLINKED_ANSWER, listOf(Text.Plain("Arrive"), Text.Plain("Go on"))), card.findings.first())
        list.onEvent(WorkflowsEvent.Started("pump-check"))
        assertSays(TextId.FAILURE_NOT_STARTABLE, list.until { it.notice != null }.notice?.text)
        phone.shutDown()
    }

    @Test
    fun `ending at once fires nothing, and the list finds sessions by what became of them`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        phone.setUp(pumpCheck)
        val session = phone.startPumpCheck()
        session.onEvent(SessionEvent.EndOpened)
        session.onEvent(SessionEvent.ReasonTyped("Nobody home"))
        session.onEvent(SessionEvent.EndConfirmed)
        phone.at { it is Screen.Record }
        val record = phone.record().until { !it.loading }
        assertEquals(SessionState.ENDED, record.state)
        assertEquals("Nobody home", record.endReason)
        phone.navigator.open(Screen.Sessions)
        val list: SessionsModel = (phone.shown() as Shown.Sessions).model
        assertEquals(1, list.until { it.sessions.isNotEmpty() }.sessions.size)
        list.onEvent(SessionsEvent.Filtered(SessionsFilter.WON))
        list.until { it.filter == SessionsFilter.WON && it.sessions.isEmpty() }
        list.onEvent(SessionsEvent.Filtered(SessionsFilter.ENDED))
        list.until { it.sessions.size == 1 }
        phone.shutDown()
    }

    @Test
    fun `every example of the repository can be walked on the screen`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        for (name in listOf("boiler-service", "customer-visit", "meter-exchange", "site-safety-inspection")) {
            val imported = phone.compass.importWorkflow(example(name))
            assertTrue(imported.workflow.startable, name)
            val session = phone.compass.start(imported.workflow.workflow.key).view
            val state = SessionModel(session.key, phone.work, phone.scope).until { !it.loading }
            assertTrue(state.answers.isNotEmpty(), name)
            assertTrue(state.progress.atLeastLeft > 0, name)
        }
        phone.shutDown()
    }

    @Test
    fun `simulated offline keeps messages back, and says that it is played`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        phone.setUp(pumpCheck)
        phone.network(there = true)
        phone.simulateOffline(true)
        val strip = phone.app.status(phone.scope)
        assertNotNull(strip.until { it.simulated != null && it.icon == StatusIcon.NO_SIGNAL }.simulated)
        phone.complete(phone.startPumpCheck().also { it.fillIn() })
        assertTrue(phone.sendNow().end == FlushEnd.OFFLINE)
        assertTrue(office.received.isEmpty())
        phone.simulateOffline(false)
        assertEquals(1, phone.sendNow().sent)
        phone.shutDown()
    }

    @Test
    fun `who sends by hand goes through pauses, but not through a network that is played to be gone`() = story {
        val core = FakeCompass()
        val handle = OneHandle("nowhere") { core }
        handle.compass.flush(urgent = true)
        assertEquals(1, core.urgentFlushes)
        handle.network.play(simulated = true)
        handle.compass.flush(urgent = true)
        assertEquals(2 to 1, core.flushes to core.urgentFlushes)
    }

    @Test
    fun `diagnostics hold no address beyond its origin, no value and no secret`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        phone.setUp(pumpCheck)
        phone.complete(phone.startPumpCheck().also { it.fillIn() })
        val settings: SettingsModel = (phone.app.show(Screen.Settings, phone.scope) as Shown.Settings).model
        settings.until { !it.loading }
        settings.onEvent(SettingsEvent.DiagnosticsExported)
        settings.until { it.exported != null }
        val written = phone.exports.written.values.single()
        assertTrue("1 pending" in written, written)
        for (hidden in listOf("t0p", "Mill Lane", "2.50", Phone.SECRET)) assertFalse(hidden in written, hidden)
        val copy = folder.resolve("copy.db")
        phone.compass.backup(copy.toString())
        assertTrue(Files.size(copy) > 0)
        phone.shutDown()
    }

    @Test
    fun `an endpoint that asks too much is refused by the core and said`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        val settings: SettingsModel = (phone.app.show(Screen.Settings, phone.scope) as Shown.Settings).model
        settings.until { !it.loading }
        settings.onEvent(SettingsEvent.EndpointAdded)
        settings.onEvent(SettingsEvent.EndpointTyped(EndpointForm("office", "http://office.test")))
        settings.onEvent(SettingsEvent.EndpointSaved)
        val state = settings.until { it.notice?.failed == true }
        assertSays(TextId.FAILURE_BAD_ENDPOINT, state.notice?.text)
        assertEquals("http://office.test", state.editing?.url, "what was typed is still there")
        assertEquals(emptyList<Any>(), state.endpoints)
        phone.shutDown()
    }
}
