package dev.compass.sample.screen

import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.model.Connectivity
import dev.compass.core.testing.FakeState
import dev.compass.sample.assertCounts
import dev.compass.sample.assertSays
import dev.compass.sample.atWork
import dev.compass.sample.desk
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.outbox.OutboxEvent
import dev.compass.sample.screen.outbox.OutboxModel
import dev.compass.sample.screen.sessions.SessionsEvent
import dev.compass.sample.screen.sessions.SessionsFilter
import dev.compass.sample.screen.sessions.SessionsModel
import dev.compass.sample.screen.status.StatusEvent
import dev.compass.sample.screen.status.StatusIcon
import dev.compass.sample.screen.status.StatusModel
import dev.compass.sample.screen.workflows.NextStep
import dev.compass.sample.screen.workflows.WorkflowsEvent
import dev.compass.sample.screen.workflows.WorkflowsModel
import dev.compass.sample.text.CountId
import dev.compass.sample.text.TextId
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class ListsTest {
    // Workflows ----------------------------------------------------------------------------------------------------------------------

    @Test
    fun `the session to go on with is first, and one tap away`() = desk {
        val model = WorkflowsModel(work, scope)
        settle()
        assertEquals("Inspection and combustion", model.state.value.resume?.sectionName)
        assertNull(model.state.value.moreInProgress)
        model.tap(WorkflowsEvent.Resumed)
        assertEquals(Screen.Session("s1"), navigator.stack.value.top)
    }

    @Test
    fun `the next thing to do is to go on, else to start what alone can be started, else for the technician to choose`() = desk {
        val model = WorkflowsModel(work, scope)
        settle()
        assertEquals(NextStep.GoOn, model.state.value.next)
        compass.change { copy(sessions = emptyList()) }
        settle()
        assertEquals(NextStep.Start("boiler-service", "Boiler service"), model.state.value.next)
        compass.change { copy(workflows = workflows + workflows.first().run { copy(workflow = workflow.copy(key = "other")) }) }
        settle()
        assertNull(model.state.value.next)
    }

    @Test
    fun `further sessions in progress are counted`() = desk {
        compass.change { copy(sessions = sessions + sessions.first().copy(key = "s9") + sessions.first().copy(key = "s8")) }
        val model = WorkflowsModel(work, scope)
        settle()
        assertCounts(CountId.MORE_IN_PROGRESS, 2, model.state.value.moreInProgress)
        model.tap(WorkflowsEvent.MoreOpened)
        assertEquals(Screen.Sessions, navigator.stack.value.top)
    }

    @Test
    fun `an incomplete workflow is marked with what is wrong`() = desk {
        val model = WorkflowsModel(work, scope)
        settle()
        val card = model.state.value.workflows.first { it.key == "heat-pump" }
        assertFalse(card.startable)
        assertSays(TextId.FINDING_UNLINKED_ANSWER, card.findings.single())
        assertEquals(emptyList<Any>(), model.state.value.workflows.first { it.key == "boiler-service" }.findings)
    }

    @Test
    fun `two taps on start begin one session`() = desk {
        val model = WorkflowsModel(work, scope)
        settle()
        model.onEvent(WorkflowsEvent.Started("boiler-service"))
        model.onEvent(WorkflowsEvent.Started("boiler-service"))
        settle()
        assertEquals(listOf("start boiler-service"), compass.asked)
        assertTrue(navigator.stack.value.top is Screen.Session)
    }

    @Test
    fun `what cannot be started says why, and can be tried again`() = desk {
        val model = WorkflowsModel(work, scope)
        compass.refuseNext(CompassException(ErrorCode.DISK_FULL), of = "start")
        model.tap(WorkflowsEvent.Started("boiler-service"))
        assertSays(TextId.FAILURE_DISK_FULL, model.state.value.notice?.text)
        assertNull(model.state.value.starting)
        model.tap(WorkflowsEvent.Started("boiler-service"))
        assertTrue(navigator.stack.value.top is Screen.Session)
    }

    // Sessions -----------------------------------------------------------------------------------------------------------------------

    @Test
    fun `sessions are found by filter and by words`() = desk(at = "sessions") {
        val model = SessionsModel(work, scope)
        settle()
        fun keys() = model.state.value.sessions.map { it.session }
        assertEquals(listOf("s1", "s2", "s3", "s4", "s5"), keys())
        val expected = mapOf(
            SessionsFilter.IN_PROGRESS to listOf("s1"),
            SessionsFilter.COMPLETED to listOf("s2", "s3", "s4"),
            SessionsFilter.WON to listOf("s2", "s3"),
            SessionsFilter.ENDED to listOf("s5"),
            SessionsFilter.WAITING to listOf("s2"),
            SessionsFilter.FAILED to listOf("s4"),
        )
        for ((filter, found) in expected) {
            model.tap(SessionsEvent.Filtered(filter))
            assertEquals(found, keys(), "$filter")
        }
        model.tap(SessionsEvent.Filtered(SessionsFilter.ALL), SessionsEvent.Searched(" open work "))
        assertEquals(listOf("s4"), keys())
    }

    @Test
    fun `a row says that a session was changed since its messages were made`() {
        val edited = atWork().run { copy(sessions = sessions.map { if (it.key == "s3") it.copy(actionsDiffering = 1) else it }) }
        desk(edited, at = "sessions") {
            val model = SessionsModel(work, scope)
            settle()
            assertEquals(listOf("s3"), model.state.value.sessions.filter { it.changed }.map { it.session })
        }
    }

    @Test
    fun `a row leads on with the session, or to its record`() = desk(at = "sessions") {
        val model = SessionsModel(work, scope)
        model.tap(SessionsEvent.Opened("s1"))
        assertEquals(Screen.Session("s1"), navigator.stack.value.top)
        model.tap(SessionsEvent.Opened("s3"))
        assertEquals(Screen.Record("s3"), navigator.stack.value.top)
    }

    @Test
    fun `the list grows by a page when its end is near, and begins again with another filter`() = desk {
        compass.change { copy(sessions = (1..70).map { sessions.last().copy(key = "n$it") }) }
        val model = SessionsModel(work, scope)
        settle()
        assertEquals(30 to true, model.state.value.sessions.size to model.state.value.more)
        model.tap(SessionsEvent.MoreAsked, SessionsEvent.MoreAsked, SessionsEvent.MoreAsked)
        assertEquals(70 to false, model.state.value.sessions.size to model.state.value.more)
        model.tap(SessionsEvent.Filtered(SessionsFilter.ENDED))
        assertEquals(30, model.state.value.sessions.size)
    }

    // The outbox ---------------------------------------------------------------------------------------------------------------------

    @Test
    fun `what needs a person is on top, with the reason`() = desk {
        val model = OutboxModel(work, scope)
        settle()
        val state = model.state.value
        assertCounts(CountId.OUTBOX_WAITING, 1, state.waiting)
        assertCounts(CountId.OUTBOX_NEEDS_PERSON, 1, state.needsPerson)
        assertSays(TextId.REASON_REJECTED, state.persons.single().reason)
        assertSays(TextId.REASON_OFFLINE, state.lines.single().reason)
        assertTrue(state.canSendNow && state.canSendFailedAgain && !state.empty)
        model.tap(OutboxEvent.Opened("s4"))
        assertEquals(Screen.Record("s4"), navigator.stack.value.top)
    }

    @Test
    fun `send now says how many left`() = desk {
        val model = OutboxModel(work, scope)
        model.tap(OutboxEvent.SendNow)
        assertCounts(CountId.SENT_NOW, 1, model.state.value.notice?.text)
        assertFalse(model.state.value.sending || model.state.value.canSendNow)
    }

    @Test
    fun `send now without signal says that it will leave by itself`() = desk {
        compass.setConnectivity(Connectivity.Offline)
        val model = OutboxModel(work, scope)
        model.tap(OutboxEvent.SendNow)
        assertSays(TextId.NOTICE_STILL_OFFLINE, model.state.value.notice?.text)
    }

    @Test
    fun `what failed is sent again in one tap`() = desk {
        val model = OutboxModel(work, scope)
        model.tap(OutboxEvent.SendFailedAgain)
        assertCounts(CountId.SENT_AGAIN, 1, model.state.value.notice?.text)
        assertEquals(listOf("sendFailedAgain Jo"), compass.asked)
    }

    // The strip ----------------------------------------------------------------------------------------------------------------------

    @Test
    fun `the strip says in words and numbers how things stand`() = desk {
        val strip = StatusModel(work, scope)
        settle()
        assertEquals(StatusIcon.WAITING, strip.state.value.icon)
        assertCounts(CountId.STATUS_WAITING, 1, strip.state.value.text)
        assertCounts(CountId.STATUS_NEEDS_PERSON, 1, strip.state.value.attention)
        network.hear(Connectivity.Offline)
        settle()
        assertEquals(StatusIcon.NO_SIGNAL, strip.state.value.icon)
        assertCounts(CountId.STATUS_NO_SIGNAL_WAITING, 1, strip.state.value.text)
        network.hear(Connectivity.Online(validated = true, metered = false))
        compass.change { copy(outboxTotals = outboxTotals.copy(pending = 0)) }
        settle()
        assertEquals(StatusIcon.NEEDS_PERSON, strip.state.value.icon)
        compass.change { FakeState() }
        settle()
        assertEquals(StatusIcon.ALL_SENT, strip.state.value.icon)
        network.hear(Connectivity.Offline)
        settle()
        assertSays(TextId.STATUS_NO_SIGNAL, strip.state.value.text)
        strip.tap(StatusEvent.Opened)
        assertEquals(Screen.Outbox, navigator.stack.value.top)
    }
}
