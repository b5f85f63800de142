package dev.compass.core

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Connectivity
import dev.compass.core.model.NetworkPolicy
import dev.compass.core.model.SessionKey
import dev.compass.core.model.Signing
import dev.compass.core.testing.FakeCompass
import dev.compass.core.testing.ScriptedTransport
import java.nio.file.Path
import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What goes on when the database of a handle is replaced. */
class OngoingTest {
    @TempDir
    lateinit var folder: Path

    private val metered = Connectivity.Online(validated = true, metered = true)
    private val free = Connectivity.Online(validated = true, metered = false)

    private suspend fun handles(options: CompassOptions, check: suspend (Compass) -> Unit) {
        for (kind in listOf("lazy", "open")) {
            val compass = if (kind == "lazy") Compass.lazy(options) else Compass.open(options)
            check(compass)
            compass.erase()
            compass.shutDown()
        }
    }

    private suspend fun Compass.prepared(network: NetworkPolicy = NetworkPolicy.ANY) {
        importWorkflow(PUMP_CHECK.toByteArray())
        setIntegrationEnabled(true)
        putEndpoint(endpoint("https://office.test/hooks", Signing.None).copy(network = network))
    }

    private suspend fun Compass.untilSent(session: SessionKey) =
        observeRecord(session).first { record -> record.actions.single().status == ActionStatus.SENT }

    @Test
    fun `a network that was reported is known for the next database`() = test {
        val transport = ScriptedTransport()
        handles(folder.options(transport = transport)) { compass ->
            compass.prepared(NetworkPolicy.UNMETERED)
            compass.setConnectivity(metered)
            compass.completed()
            val before = transport.requests.size
            compass.flush()
            compass.whileClosed { }
            compass.flush()
            if (compass is LazyCompass) {
                compass.shutDown()
                compass.flush()
            }
            assertEquals(before, transport.requests.size)
            compass.setConnectivity(free)
            compass.flush()
            assertEquals(before + 1, transport.requests.size)
        }
    }

    @Test
    fun `delivery goes on with the next database, and after a refusal`() = test {
        handles(folder.options(transport = ScriptedTransport())) { compass ->
            val hold = compass.resume()
            compass.startDelivery()
            compass.prepared()
            compass.setConnectivity(Connectivity.Offline)
            val waiting = compass.completed()
            assertCode(ErrorCode.UNDELIVERED) { compass.erase() }
            compass.setConnectivity(free)
            compass.untilSent(waiting)

            compass.erase()
            compass.prepared()
            compass.untilSent(compass.completed())
            hold.release()
        }
    }

    @Test
    fun `a handle that was open is open again after the work, also after a failure`() = test {
        val compass = Compass.lazy(folder.options())
        compass.whileClosed { }
        assertNull(compass.current.value)
        compass.totals()
        compass.whileClosed { }
        assertNotNull(compass.current.value)
        assertTrue(runCatching { compass.whileClosed { error("it did not work") } }.isFailure)
        assertNotNull(compass.current.value)
        compass.shutDown()
        assertNull(compass.current.value)
    }

    /** The calls that each handle got which a lazy handle has opened. */
    private class Opened {
        val handles = mutableListOf<FakeCompass>()
        val compass = Compass.lazy({ "/fake/compass.db" }) { FakeCompass().also(handles::add) }

        suspend fun next(): List<String> {
            compass.whileClosed { }
            return handles.last().calls.map { it.name }
        }
    }

    @Test
    fun `a hold that was released, and delivery that was stopped, do not go on`() = test {
        val opened = Opened()
        val hold = opened.compass.resume()
        opened.compass.startDelivery()
        assertEquals(listOf("resume", "startDelivery"), opened.next())
        assertEquals(1, opened.handles.last().holds)
        opened.compass.stopDelivery()
        assertEquals(listOf("resume"), opened.next())
        opened.compass.startDelivery()
        hold.release()
        assertEquals(0, opened.handles.last().holds)
        hold.release()
        assertEquals(emptyList<String>(), opened.next())
    }

    @Test
    fun `after quiescing or closing only the network is known`() = test {
        for (end in listOf<suspend Compass.() -> Unit>({ quiesce() }, { shutDown() }, { close() })) {
            val opened = Opened()
            opened.compass.resume()
            opened.compass.startDelivery()
            opened.compass.setConnectivity(metered)
            opened.compass.end()
            opened.compass.totals()
            assertEquals(listOf("setConnectivity"), opened.next())
            assertEquals(0, opened.handles.last().holds)
            assertEquals(metered, opened.handles.last().connectivity)
        }
    }
}
