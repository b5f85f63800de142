package dev.compass.sample.screen

import dev.compass.sample.Desk
import dev.compass.sample.FakePhone
import dev.compass.sample.assertSays
import dev.compass.sample.desk
import dev.compass.sample.endpoint
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.workflow.WorkflowEvent
import dev.compass.sample.screen.workflow.WorkflowModel
import dev.compass.sample.text.TextId
import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class WorkflowModelTest {
    /** A document is changed on another thread. */
    private suspend fun Desk.saved(model: WorkflowModel, said: TextId) {
        assertSays(said, model.state.first { it.notice != null && !it.saving }.notice?.text)
        settle()
    }

    private fun FakePhone.endpointsOfImported() =
        Regex("\"endpoint\": ?\"([a-z]+)\"").findAll(String(imported)).map { it.groupValues[1] }.toList()

    @Test
    fun `the outline shows sections with their fields, answers and actions`() = desk {
        val model = WorkflowModel("boiler-service", work, scope)
        settle()
        val (arrival, inspection, closed) = model.state.value.sections
        assertTrue(arrival.isStart && !arrival.isEnd)
        assertEquals("Inspection and combustion", arrival.answers.single().leadsTo)
        assertEquals(listOf(true, true, false), inspection.fields.map { it.required })
        assertTrue(closed.isEnd && closed.win)
        assertEquals("office", closed.actions.single().endpoint)
    }

    @Test
    fun `a message is added in three taps`() = desk {
        compass.change { copy(endpoints = endpoints + endpoint("depot")) }
        val model = WorkflowModel("boiler-service", work, scope)
        settle()
        model.tap(WorkflowEvent.AddOpened("arrival"))
        assertEquals(listOf("office", "depot"), model.state.value.adding?.endpoints)
        assertFalse(model.state.value.adding!!.canAdd, "which one is for the technician to say")
        model.tap(WorkflowEvent.EndpointChosen("depot"), WorkflowEvent.AddConfirmed)
        saved(model, TextId.NOTICE_ACTION_ADDED)
        assertEquals(listOf("depot", "office"), compass.endpointsOfImported())
        assertEquals("3.1", model.state.value.version)
        assertNull(model.state.value.adding)
    }

    @Test
    fun `where there is one endpoint it is chosen already`() = desk {
        val model = WorkflowModel("boiler-service", work, scope)
        settle()
        model.tap(WorkflowEvent.AddOpened("arrival"), WorkflowEvent.AddConfirmed)
        saved(model, TextId.NOTICE_ACTION_ADDED)
        assertEquals(listOf("office", "office"), compass.endpointsOfImported())
    }

    @Test
    fun `without an endpoint the way leads to the settings`() = desk {
        compass.change { copy(endpoints = emptyList()) }
        val model = WorkflowModel("boiler-service", work, scope)
        settle()
        model.tap(WorkflowEvent.AddOpened("arrival"), WorkflowEvent.AddConfirmed)
        assertTrue(model.state.value.adding!!.noEndpoints)
        assertTrue(compass.asked.isEmpty())
        model.tap(WorkflowEvent.SettingsOpened)
        assertEquals(Screen.Settings, navigator.stack.value.top)
    }

    @Test
    fun `an action is removed after a question`() = desk {
        val model = WorkflowModel("boiler-service", work, scope)
        settle()
        model.tap(WorkflowEvent.RemoveConfirmed)
        assertTrue(compass.asked.isEmpty())
        model.tap(WorkflowEvent.RemoveOpened("closed", "notify-office"))
        assertEquals("Tell the office that the service is complete", model.state.value.removing?.name)
        model.tap(WorkflowEvent.RemoveConfirmed)
        saved(model, TextId.NOTICE_ACTION_REMOVED)
        assertEquals(emptyList<String>(), compass.endpointsOfImported())
        assertNull(model.state.value.removing)
    }

    @Test
    fun `only a complete workflow starts`() = desk(at = "workflows workflow/heat-pump") {
        val model = WorkflowModel("heat-pump", work, scope)
        model.tap(WorkflowEvent.Started)
        assertTrue(compass.asked.isEmpty())
        assertSays(TextId.FINDING_UNLINKED_ANSWER, model.state.value.findings.single())
    }
}
