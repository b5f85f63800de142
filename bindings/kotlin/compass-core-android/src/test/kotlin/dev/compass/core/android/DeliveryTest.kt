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

/** Delivery of a session while the app is on the screen, and after it leaves the screen. */
class DeliveryTest : OnAPhone() {
    private fun onScreen(): ActivityController<Screen> = Robolectric.buildActivity(Screen::class.java).setup()

    @Test
    fun `a session completed without signal arrives once the network is there, and its record says sent`() {
        networks.none()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        onScreen()
        until("the network to be watched") { networks.watched }
        val session = compass.completed()
        assertEquals(ActionStatus.PENDING, compass.action(session).status)
        assertEquals(FlushEnd.OFFLINE, wait { compass.flush() }.end)
        assertTrue(office.received.isEmpty())

        networks.network(validated = true)

        until("the webhook") { office.received.isNotEmpty() }
        assertTrue(office.received.single().isSignedWith(SECRET))
        assertTrue(office.received.single().text.contains(session))
        until("the record to say so") { compass.action(session).status == ActionStatus.SENT }
        assertEquals(office.received.single().id, compass.action(session).deliveries.single().id)
    }

    @Test
    fun `a lost network stops delivery at once and uses up nothing`() {
        networks.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        onScreen()
        until("the network to be watched") { networks.watched }
        networks.none()
        until("the core to know") { wait { compass.flush() }.end == FlushEnd.OFFLINE }
        val session = compass.completed()
        assertEquals(FlushEnd.OFFLINE, wait { compass.flush() }.end)
        assertEquals(0, compass.action(session).deliveries.single().attempts)
    }

    @Test
    fun `Android's handle of a network identifies it`() {
        val network = networks.network(metered = true)
        ConnectivityMonitor(app).use { monitor ->
            assertEquals(Connectivity.Online(true, true, network.networkHandle), monitor.connectivity.value)
            val other = networks.another()
            assertEquals(Connectivity.Online(true, false, other.networkHandle), CompassAndroid.connectivity(app, other))
            assertNotEquals(network.networkHandle, other.networkHandle)
        }
    }

    @Test
    fun `a network that the app may not use counts as no network`() {
        val network = networks.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        onScreen()
        until("the network to be watched") { networks.watched }
        networks.blocked(network, true)
        until("the core to know") { wait { compass.flush() }.end == FlushEnd.OFFLINE }
        val session = compass.completed()
        assertEquals(FlushEnd.OFFLINE, wait { compass.flush() }.end)
        networks.blocked(network, false)
        until("the record to say sent") { compass.action(session).status == ActionStatus.SENT }
    }

    @Test
    fun `behind a captive portal a message is tried, and a failure there counts as offline`() {
        networks.network(validated = false)
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
    fun `on a validated network the same failure counts as the receiver's`() {
        networks.network(validated = true)
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
        networks.network(validated = false)
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
        networks.network(metered = true)
        val office = WebhookSink().closing()
        val compass = ready(office.url, NetworkPolicy.UNMETERED)
        deliverAutomatically()
        onScreen()
        until("the network to be watched") { networks.watched }
        val session = compass.completed()
        until("a flush that knows the network") { wait { compass.flush() }.let { it.attempts == 0 && it.pending == 1L } }
        assertTrue(office.received.isEmpty())

        networks.network(metered = false)

        until("the record to say sent") { compass.action(session).status == ActionStatus.SENT }
    }

    @Test
    fun `after the last screen is gone the hold is released, and taken again with the next screen`() {
        networks.network()
        val compass = ready()
        deliverAutomatically()
        val screen = onScreen()
        until("delivery") { wait { compass.flush() }.end == FlushEnd.DRAINED && networks.watched }
        screen.pause().stop()
        until("the hold to be released") { wait { compass.flush() }.end == FlushEnd.QUIESCED }
        assertFalse(networks.watched)
        // Commands still work.
        compass.completed()
        screen.restart().start().resume()
        until("the hold to be taken again") { wait { compass.flush() }.end != FlushEnd.QUIESCED }
        until("the network to be watched") { networks.watched }
    }

    @Test
    fun `a copy replaces the database while the app is on the screen, and a session completed then is delivered at once`() {
        networks.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        onScreen()
        until("the network to be watched") { networks.watched }
        val copy = File(app.noBackupFilesDir, "copy.db").path
        wait { compass.backup(copy) }
        wait { app.lazy.whileClosed { Compass.restore(copy, RestoreOptions(CompassAndroid.databaseFile(app).path)) } }
        val session = compass.completed()
        until("the record to say sent") { compass.action(session).status == ActionStatus.SENT }
        until("the network to be watched") { networks.watched }
    }

    @Test
    fun `a file that cannot be read when the app comes to the screen does not stop delivery`() {
        networks.network()
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
        assertTrue(networks.watched)
    }

    @Test
    fun `a closed handle is left without a warning, and ended delivery releases the hold before it returns`() {
        networks.network()
        val office = WebhookSink().closing()
        ready(office.url)
        val delivery = deliverAutomatically()
        onScreen()
        until("the network to be watched") { networks.watched }
        wait { app.compass().shutDown() }
        val compass = wait { app.compass() }
        val session = compass.completed()
        until("the next handle to deliver") { compass.action(session).status == ActionStatus.SENT }
        wait { delivery.end() }
        assertFalse(networks.watched)
        assertEquals(FlushEnd.QUIESCED, wait { compass.flush() }.end)
        assertEquals(emptyList<String>(), ShadowLog.getLogsForTag("Compass").filter { it.type >= AndroidLog.WARN }.map { it.msg })
    }

    @Test
    fun `turning the phone does not count as a moment without a screen`() {
        val said = mutableListOf<Boolean>()
        app.registerActivityLifecycleCallbacks(Visibility { said += it })
        val screen = onScreen()
        screen.recreate()
        assertEquals(setOf(true), said.toSet())
        screen.pause().stop()
        assertEquals(false, said.last())
    }

    @Test
    fun `when one of two screens closes, the hold stays`() {
        networks.network()
        val compass = ready()
        deliverAutomatically()
        val first = onScreen()
        onScreen()
        until("the network to be watched") { networks.watched }
        first.pause().stop()
        repeat(3) { assertEquals(FlushEnd.DRAINED, wait { compass.flush() }.end) }
        assertTrue(networks.watched)
    }

    @Test
    fun `the log contains no secret, no value and no path`() {
        networks.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        onScreen()
        val session = compass.completed()
        until("the record to say sent") { compass.action(session).status == ActionStatus.SENT }
        val log = ShadowLog.getLogs().joinToString("\n") { "${it.tag} ${it.msg} ${it.throwable}" }
        for (forbidden in listOf(SECRET, "Mill Lane", "/hooks", session)) assertFalse(forbidden, log.contains(forbidden))
    }

    private fun closedPort(): String = ServerSocket(0).use { "http://127.0.0.1:${it.localPort}/hooks" }
}
