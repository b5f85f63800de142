package dev.compass.core

import dev.compass.core.model.Attention
import dev.compass.core.model.FieldValue
import dev.compass.core.model.NotFiredFilter
import dev.compass.core.model.SecretLookup
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionView
import java.nio.file.Path
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.channels.produce
import kotlinx.coroutines.channels.toList
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class FlowTest {
    @TempDir
    lateinit var folder: Path

    /** The values that a collector gets. Ends when the flow ends. */
    private fun <T> CoroutineScope.collected(flow: Flow<T>): ReceiveChannel<T> =
        produce(capacity = Channel.UNLIMITED) { flow.collect { send(it) } }

    @Test
    fun `a session is shown as it is and as it becomes`() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view
            val seen = collected(compass.observeSession(session.key))
            assertEquals(session, seen.receive())
            val changed = compass.setField(session.key, "site", FieldValue.Text("Mill Lane")).view
            assertEquals(changed, seen.receive())
            val moved = compass.answer(changed, "on").view
            assertEquals(moved, seen.receive())
            seen.cancel()
        }
    }

    @Test
    fun `a flow does not emit for a change of other data`() = test {
        folder.ready().use { compass ->
            val one = compass.start("pump-check").view.key
            val other = compass.start("pump-check").view.key
            val seen = collected(compass.observeSession(one))
            seen.receive()
            compass.note(other, "Elsewhere")
            compass.setIntegrationEnabled(false)
            compass.note(one, "Here")
            assertEquals(listOf("Here"), seen.receive().notes.map { it.text })
            assertTrue(seen.tryReceive().isFailure)
            seen.cancel()
        }
    }

    @Test
    fun `a flow does not emit an equal value again`() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            val totals = collected(compass.observeTotals())
            assertEquals(1L, totals.receive().sessions.inProgress)
            // Each changes a session, but not the totals.
            repeat(5) {
                compass.note(session, "Note $it")
                compass.observeSession(session).first { view -> view.notes.size == it + 1 }
            }
            compass.start("pump-check")
            assertEquals(2L, totals.receive().sessions.inProgress)
            totals.cancel()
        }
    }

    @Test
    fun `a slow collector sees only the newest state`() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            val inHand = CompletableDeferred<Unit>()
            val goOn = CompletableDeferred<Unit>()
            val seen = mutableListOf<SessionView>()
            val collecting = launch(Dispatchers.Default) {
                compass.observeSession(session).collect {
                    seen += it
                    inHand.complete(Unit)
                    goOn.await()
                }
            }
            inHand.await()
            repeat(20) { compass.note(session, "Note $it") }
            // The flow has queried the newest state when a second one has: both are notified of a change at the same time.
            compass.observeSession(session).first { it.notes.size == 20 }
            goOn.complete(Unit)
            compass.observeSession(session).first()
            while (seen.last().notes.size < 20) kotlinx.coroutines.yield()
            collecting.cancelAndJoin()
            assertTrue(seen.size < 20, "it saw ${seen.size} states")
        }
    }

    @Test
    fun `the lists and totals of screens follow what happens`() = test {
        folder.ready().use { compass ->
            val sessions = collected(compass.observeSessions())
            val outbox = collected(compass.observeOutbox())
            val waiting = collected(compass.observeOutboxTotals())
            val totals = collected(compass.observeTotals())
            val due = collected(compass.observeNextDue())
            assertEquals(0, sessions.receive().sessions.size)
            assertEquals(0, outbox.receive().items.size)
            assertEquals(0L, waiting.receive().pending)
            assertEquals(0L, totals.receive().sessions.completed)
            assertEquals(null, due.receive().at)

            val session = compass.completed()
            assertEquals(session, outbox.receive().items.single().session)
            assertEquals(1L, waiting.receive().pending)
            assertTrue(due.receive().at != null)
            until(sessions) { page -> page.sessions.any { it.key == session && it.actionsPending == 1 } }
            until(totals) { it.sessions.completed == 1L }
            for (flow in listOf(sessions, outbox, waiting, totals, due)) flow.cancel()
        }
    }

    @Test
    fun `a message that needs a person is emitted once`() = test {
        folder.ready(folder.options(secrets = { _, _ -> SecretLookup.Missing })).use { compass ->
            val emitted = collected(compass.observeAttention())
            while (compass.watchers() == 0) kotlinx.coroutines.yield()
            val session = compass.completed()
            repeat(2) { compass.flush() }
            val attention = emitted.receive()
            assertEquals(Triple(session, "secret_missing", false), Triple(attention.session, attention.reason, attention.failed))
            compass.shutDown()
            assertEquals(emptyList<Attention>(), emitted.toList(), "it is emitted once")
        }
    }

    @Test
    fun `actions that did not fire are counted and sent in one call`() = test {
        folder.ready().use { compass ->
            compass.setIntegrationEnabled(false)
            compass.completed()
            compass.setIntegrationEnabled(true)
            val before = compass.outboxTotals()
            assertEquals(1L to 0L, before.notFired to before.pending)
            assertEquals("nowhere", assertCode(ErrorCode.UNKNOWN_ENDPOINT) { compass.sendNotFired(NotFiredFilter(endpoint = "nowhere")) }.place)
            assertEquals(1, compass.sendNotFired())
            val after = compass.outboxTotals()
            assertEquals(0L to 1L, after.notFired to after.pending)
        }
    }

    @Test
    fun `endpoints, integration, workflows and records follow what happens`() = test {
        folder.ready().use { compass ->
            val session = compass.completed()
            val endpoints = collected(compass.observeEndpoints())
            val integration = collected(compass.observeIntegration())
            val workflows = collected(compass.observeWorkflows())
            val record = collected(compass.observeRecord(session))
            assertTrue(endpoints.receive().single().enabled)
            assertEquals(1, workflows.receive().size)
            record.receive()
            compass.setEndpointEnabled("office", false)
            until(endpoints) { !it.single().enabled }
            assertTrue(integration.receive())
            compass.setIntegrationEnabled(false)
            until(integration) { !it }
            assertEquals(listOf("not_json"), compass.lintWorkflow("no document".toByteArray()).map { it.code })
            compass.importWorkflow(PUMP_CHECK.replace("\"version\": 1", "\"version\": 2").toByteArray())
            assertEquals(2, workflows.receive().size)
            compass.note(session, "One more thing")
            until(record) { it.notes.isNotEmpty() }
            for (flow in listOf(endpoints, integration, workflows, record)) flow.cancel()
        }
    }

    @Test
    fun `a record says at once what its messages wait for`() = test {
        folder.ready().use { compass ->
            val record = collected(compass.observeRecord(compass.completed()))
            val reason = { found: SessionRecord -> found.actions.single().reason }
            assertNull(reason(record.receive()))
            compass.setEndpointEnabled("office", false)
            assertEquals("endpoint_disabled", reason(record.receive()))
            compass.setIntegrationEnabled(false)
            assertEquals("integration_off", reason(record.receive()))
            compass.setIntegrationEnabled(true)
            compass.setEndpointEnabled("office", true)
            until(record) { reason(it) == null }
            record.cancel()
        }
    }

    private suspend fun <T> until(flow: ReceiveChannel<T>, wanted: (T) -> Boolean) {
        while (!wanted(flow.receive())) Unit
    }

    @Test
    fun `a missing session is an error, and so is a deleted one`() = test {
        folder.ready().use { compass ->
            assertCode(ErrorCode.UNKNOWN_SESSION) { compass.observeSession("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11").collect() }

            val session = compass.start("pump-check").view.key
            compass.discard(session)
            val ended = async { runCatching { compass.observeSession(session).collect() }.exceptionOrNull() }
            val watching = collected(compass.observeSessions())
            watching.receive()
            compass.delete(session)
            assertEquals(ErrorCode.DELETED_SESSION, (ended.await() as CompassException).code)
            watching.cancel()
        }
    }

    @Test
    fun `closing completes the flows, and later ones fail`() = test {
        val compass = folder.ready()
        val started = CompletableDeferred<Unit>()
        val all = async {
            compass.observeTotals().collect { started.complete(Unit) }
            "completed"
        }
        started.await()
        compass.shutDown()
        assertEquals("completed", all.await())
        assertCode(ErrorCode.CLOSED) { compass.observeTotals().first() }
    }

    @Test
    fun `a cancelled collector leaves nothing behind`() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            withContext(Dispatchers.Default) {
                List(8) { async { repeat(250) { compass.observeSession(session).first() } } }.awaitAll()
                List(8) { launch { compass.observeSession(session).collect() } }.forEach { it.cancelAndJoin() }
            }
            assertEquals(0, compass.watchers())
        }
    }

    @Test
    fun `many collectors share one subscription and all get changes`() = test {
        folder.ready().use { compass ->
            val before = Handles.listeners
            val session = compass.start("pump-check").view.key
            val all = List(20) { async(Dispatchers.Default) { compass.observeSession(session).first { it.notes.isNotEmpty() } } }
            while (compass.watchers() < 20) kotlinx.coroutines.yield()
            assertEquals(before, Handles.listeners)
            compass.note(session, "All get this")
            assertEquals(1, all.awaitAll().toSet().size)
        }
    }

    @Test
    fun `a closed handle leaves no listener behind`() = test {
        val before = Handles.listeners
        val options = folder.options()
        repeat(20) { Compass.open(options).use { compass -> compass.observeTotals().first() } }
        assertEquals(before, Handles.listeners)
    }

    @Test
    fun `take ends a collection`() = test {
        folder.ready().use { compass ->
            assertEquals(1, compass.observeTotals().take(1).toList().size)
            assertEquals(0, compass.watchers())
        }
    }

    private fun Compass.watchers(): Int = (this as OpenCompass).changes.size
}
