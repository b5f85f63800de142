package dev.compass.core.android

import android.util.Log as AndroidLog
import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.RestoreOptions
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Connectivity
import dev.compass.core.model.FlushEnd
import dev.compass.core.model.NetworkPolicy
import dev.compass.core.testing.SinkAnswer
import dev.compass.core.testing.WebhookSink
import java.io.File
import java.net.ServerSocket
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowLog

/** What becomes of a session while the app is on the screen, and when it leaves it. */
class DeliveryTest : OnAPhone() {
    private fun onScreen(): ActivityController<Screen> = Robolectric.buildActivity(Screen::class.java).setup()

    @Test
    fun `a session completed without signal arrives once the network is there, and its record says sent`() {
        air.none()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        onScreen()
        until("the network to be watched") { air.watched }
        val session = compass.completed()
        assertEquals(ActionStatus.PENDING, compass.action(session).status)
        assertEquals(FlushEnd.OFFLINE, wait { compass.flush() }.end)
        assertTrue(office.received.isEmpty())

        air.network(validated = true)

        until("the webhook") { office.received.isNotEmpty() }
        assertTrue(office.received.single().isSignedWith(SECRET))
        assertTrue(office.received.single().text.contains(session))
        until("the record to say so") { compass.action(session).status == ActionStatus.SENT }
        assertEquals(office.received.single().id, compass.action(session).deliveries.single().id)
    }

    @Test
    fun `a lost network stops delivery at once and uses up nothing`() {
        air.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        onScreen()
        until("the network to be watched") { air.watched }
        air.none()
        until("the core to know") { wait { compass.flush() }.end == FlushEnd.OFFLINE }
        val session = compass.completed()
        assertEquals(FlushEnd.OFFLINE, wait { compass.flush() }.end)
        assertEquals(0, compass.action(session).deliveries.single().attempts)
    }

    @Test
    fun `a network is told apart by Android's handle of it`() {
        val network = air.network(metered = true)
        ConnectivityMonitor(app).use { monitor ->
            assertEquals(Connectivity.Online(true, true, network.networkHandle), monitor.connectivity.value)
            val other = air.another()
            assertEquals(Connectivity.Online(true, false, other.networkHandle), CompassAndroid.connectivity(app, other))
            assertNotEquals(network.networkHandle, other.networkHandle)
        }
    }

    @Test
    fun `a network that the app may not use is none`() {
        val network = air.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        onScreen()
        until("the network to be watched") { air.watched }
        air.blocked(network, true)
        until("the core to know") { wait { compass.flush() }.end == FlushEnd.OFFLINE }
        val session = compass.completed()
        assertEquals(FlushEnd.OFFLINE, wait { compass.flush() }.end)
        air.blocked(network, false)
        until("the record to say sent") { compass.action(session).status == ActionStatus.SENT }
    }

    @Test
    fun `behind a captive portal a message is tried, and what fails there counts as being offline`() {
        air.network(validated = false)
        val compass = ready(closedPort())
        deliverAutomatically()
        onScreen()
        val session = compass.completed()
        until("an attempt") { compass.action(session).deliveries.single().lastAttempts.isNotEmpty() }
        val attempt = compass.action(session).deliveries.single().lastAttempts.last()
        assertEquals("unreachable", attempt.outcome)
        assertFalse(attempt.counted)
    }

    @Test
    fun `on a validated network the same failure is the receiver's and counts`() {
        air.network(validated = true)
        val compass = ready(closedPort())
        deliverAutomatically()
        onScreen()
        val session = compass.completed()
        until("an attempt") { compass.action(session).deliveries.single().lastAttempts.isNotEmpty() }
        val attempt = compass.action(session).deliveries.single().lastAttempts.last()
        assertEquals("unreachable", attempt.outcome)
        assertTrue(attempt.counted)
    }

    @Test
    fun `an answer of the captive portal in place of the receiver is not taken for delivery`() {
        air.network(validated = false)
        val portal = WebhookSink { SinkAnswer(511, body = "<html>log in</html>".toByteArray()) }.closing()
        val compass = ready(portal.url)
        deliverAutomatically()
        onScreen()
        val session = compass.completed()
        until("an attempt to end") { compass.action(session).deliveries.single().lastAttempts.isNotEmpty() }
        assertEquals("proxy", compass.action(session).deliveries.single().lastAttempts.last().outcome)
        assertEquals(ActionStatus.PENDING, compass.action(session).status)
    }

    @Test
    fun `a message for unmetered networks waits on a metered one`() {
        air.network(metered = true)
        val office = WebhookSink().closing()
        val compass = ready(office.url, NetworkPolicy.UNMETERED)
        deliverAutomatically()
        onScreen()
        until("the network to be watched") { air.watched }
        val session = compass.completed()
        until("a flush that knows") { wait { compass.flush() }.let { it.attempts == 0 && it.pending == 1L } }
        assertTrue(office.received.isEmpty())

        air.network(metered = false)

        until("the record to say sent") { compass.action(session).status == ActionStatus.SENT }
    }

    @Test
    fun `after the last screen is gone the handle is let go, and taken again with the next`() {
        air.network()
        val compass = ready()
        deliverAutomatically()
        val screen = onScreen()
        until("delivery") { wait { compass.flush() }.end == FlushEnd.DRAINED && air.watched }
        screen.pause().stop()
        until("the handle to be let go") { wait { compass.flush() }.end == FlushEnd.QUIESCED }
        assertFalse(air.watched)
        // Commands work all the same.
        compass.completed()
        screen.restart().start().resume()
        until("the handle to be taken again") { wait { compass.flush() }.end != FlushEnd.QUIESCED }
        until("the network to be watched") { air.watched }
    }

    @Test
    fun `a copy takes the place of the database while the app is on the screen, and what is completed then is delivered at once`() {
        air.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        onScreen()
        until("the network to be watched") { air.watched }
        val copy = File(app.noBackupFilesDir, "copy.db").path
        wait { compass.backup(copy) }
        wait { app.lazy.whileClosed { Compass.restore(copy, RestoreOptions(CompassAndroid.databaseFile(app).path)) } }
        val session = compass.completed()
        until("the record to say sent") { compass.action(session).status == ActionStatus.SENT }
        until("the network to be watched") { air.watched }
    }

    @Test
    fun `a file that cannot be read when somebody comes keeps nothing from leaving`() {
        air.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically(
            object : CompassHost {
                private val locked = object : Compass by compass {
                    override suspend fun refresh(): Boolean = throw CompassException(ErrorCode.LOCKED)
                }

                override suspend fun compass(): Compass = locked
            },
        )
        onScreen()
        val session = compass.completed()
        until("the record to say sent") { compass.action(session).status == ActionStatus.SENT }
        assertTrue(air.watched)
    }

    @Test
    fun `a handle that is closed is left without a word, and delivery that was ended leaves before it returns`() {
        air.network()
        val office = WebhookSink().closing()
        ready(office.url)
        val delivery = deliverAutomatically()
        onScreen()
        until("the network to be watched") { air.watched }
        wait { app.compass().shutDown() }
        val compass = wait { app.compass() }
        val session = compass.completed()
        until("the next handle to deliver") { compass.action(session).status == ActionStatus.SENT }
        wait { delivery.end() }
        assertFalse(air.watched)
        assertEquals(FlushEnd.QUIESCED, wait { compass.flush() }.end)
        assertEquals(emptyList<String>(), ShadowLog.getLogsForTag("Compass").filter { it.type >= AndroidLog.WARN }.map { it.msg })
    }

    @Test
    fun `turning the phone is no moment without a screen`() {
        val said = mutableListOf<Boolean>()
        app.registerActivityLifecycleCallbacks(Visibility { said += it })
        val screen = onScreen()
        screen.recreate()
        assertEquals(setOf(true), said.toSet())
        screen.pause().stop()
        assertEquals(false, said.last())
    }

    @Test
    fun `of two screens the first may go`() {
        air.network()
        val compass = ready()
        deliverAutomatically()
        val first = onScreen()
        onScreen()
        until("the network to be watched") { air.watched }
        first.pause().stop()
        repeat(3) { assertEquals(FlushEnd.DRAINED, wait { compass.flush() }.end) }
        assertTrue(air.watched)
    }

    @Test
    fun `the log holds neither secret, nor value, nor path`() {
        air.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        onScreen()
        val session = compass.completed()
        until("the record to say sent") { compass.action(session).status == ActionStatus.SENT }
        val log = ShadowLog.getLogs().joinToString("\n") { "${it.tag} ${it.msg} ${it.throwable}" }
        for (told in listOf(SECRET, "Mill Lane", "/hooks", session)) assertFalse(told, log.contains(told))
    }

    private fun closedPort(): String = ServerSocket(0).use { "http://127.0.0.1:${it.localPort}/hooks" }
}
