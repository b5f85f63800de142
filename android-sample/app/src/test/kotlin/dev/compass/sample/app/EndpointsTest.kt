package dev.compass.sample.app

import dev.compass.core.testing.SinkAnswer
import org.junit.Assert.assertTrue
import org.junit.Test

/** Where messages go, and what keeps them from going there. */
class EndpointsTest : Technician() {
    @Test
    fun `while no signal is simulated nothing leaves, and afterwards it leaves by itself`() {
        office().use { office ->
            prepared(office.url)
            signal()
            opensTheApp()
            taps("Settings")
            taps("Simulate no signal")
            sees("Offline is simulated")
            taps("Workflows")
            completesASession()
            sees("No signal: 1 saved, will send · Offline is simulated")
            taps("Back")
            taps("Outbox")
            taps("Send now")
            sees("No signal. It will be sent by itself.")
            assertTrue(office.received.isEmpty())
            taps("Settings")
            taps("Simulate no signal")
            until("the webhook") { office.received.isNotEmpty() }
            sees("Everything is sent")
        }
    }

    @Test
    fun `a test message says whether the receiver takes it`() {
        var answer = 202
        office { SinkAnswer(answer) }.use { office ->
            prepared(office.url)
            signal()
            opensTheApp()
            taps("Settings")
            taps("Send a test: office")
            sees("The test message was accepted (HTTP 202)")
            assertTrue(office.received.single().isSignedWith(SECRET))
            answer = 401
            taps("Send a test: office")
            sees("The test message was not accepted: The receiver does not accept our credentials")
        }
    }

    @Test
    fun `an endpoint that is switched off keeps its messages, and sends them when it is on again`() {
        office().use { office ->
            prepared(office.url)
            signal()
            opensTheApp()
            taps("Settings")
            taps("office")
            sees("The endpoint is switched off")
            taps("Workflows")
            completesASession()
            sees("Pending: The endpoint is switched off")
            assertTrue(office.received.isEmpty())
            taps("Back")
            taps("Settings")
            taps("office")
            until("the webhook") { office.received.isNotEmpty() }
            sees("Everything is sent")
        }
    }
}
