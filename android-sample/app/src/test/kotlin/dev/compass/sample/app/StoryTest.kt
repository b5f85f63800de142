package dev.compass.sample.app

import android.view.WindowManager
import dev.compass.core.testing.SinkAnswer
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** A day with the app: the real activity, the real core, a receiver on loopback. */
class StoryTest : Technician() {
    private fun completesASession() {
        taps("Start: Pump check")
        sees("Find the pump.")
        types("Site", "Mill Lane")
        taps("It runs")
        sees("Good bye.")
        taps("Review and complete")
        sees("Everything is saved on this phone")
        sees("1 message will be sent")
        taps("Complete")
    }

    @Test
    fun `a session without signal is sent when the signal is back, and its record says so`() {
        office().use { office ->
            prepared(office.url)
            opensTheApp()
            completesASession()
            sees("Won")
            sees("Pending")
            sees("No signal: 1 saved, will send")
            assertTrue(office.received.isEmpty())

            signal()

            until("the webhook") { office.received.isNotEmpty() }
            assertTrue(office.received.single().isSignedWith(SECRET))
            assertTrue("\"Mill Lane\"" in office.received.single().text)
            sees("Sent")
            sees("Everything is sent")
        }
    }

    @Test
    fun `the phone is turned in the middle of a word, and nothing is gone`() {
        prepared()
        opensTheApp()
        taps("Start: Pump check")
        sees("Find the pump.")
        types("Site", "Mill La")
        phone.recreate()
        sees("Find the pump.")
        until("the half word") { line("Site")?.text.toString() == "Mill La" }
        types("Site", "Mill Lane")
        taps("It runs")
        sees("Good bye.")
        phone.recreate()
        sees("Good bye.")
    }

    @Test
    fun `what is missing is said where it is missing, and nothing moves`() {
        prepared()
        opensTheApp()
        taps("Start: Pump check")
        taps("It runs")
        sees("1 thing is missing")
        sees("An answer is needed here")
        assertTrue(seen().any { "Find the pump." in it })
    }

    @Test
    fun `with the app gone from the screen, Android's job delivers`() {
        office().use { office ->
            prepared(office.url)
            opensTheApp()
            completesASession()
            sees("Pending")
            leavesTheApp()
            signal()
            androidRunsTheJob()
            assertEquals(1, office.received.size)
            returnsToTheApp()
            sees("Sent")
        }
    }

    @Test
    fun `what the receiver refuses is shown with its reason, and can be sent again`() {
        var answer = 422
        office { SinkAnswer(answer) }.use { office ->
            prepared(office.url)
            signal()
            opensTheApp()
            completesASession()
            sees("Failed: The receiver refused the message")
            sees("1 needs you")
            answer = 202
            taps("Send again: Report")
            sees("Sent")
        }
    }

    @Test
    fun `ending needs a reason and sends nothing, discarding asks first`() {
        prepared()
        opensTheApp()
        taps("Start: Pump check")
        taps("End now")
        assertFalse(all().first { it is android.widget.Button && it.text == "End now" && it.isClickable }.isEnabled)
        types("Why does it end here? Nothing will be sent.", "Nobody is there")
        taps("End now")
        sees("Ended early")
        taps("Back")
        taps("Workflows")
        taps("Start: Pump check")
        taps("Discard")
        taps("Discard everything")
        sees("Start something new")
    }

    @Test
    fun `the screen stays on in a session, and only there`() {
        fun staysOn() = activity.window.attributes.flags and WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON != 0
        prepared()
        opensTheApp()
        sees("Pump check")
        assertFalse(staysOn())
        taps("Start: Pump check")
        sees("Find the pump.")
        assertTrue(staysOn())
        taps("Leave; it stays as it is")
        sees("Go on")
        assertFalse(staysOn())
        taps("Go on")
        sees("Find the pump.")
    }

    @Test
    fun `a message is added to a section in three taps`() {
        prepared()
        opensTheApp()
        taps("Outline: Pump check")
        taps("Send a message from here: Arrive")
        taps("office")
        taps("Add")
        sees("Version 1.1")
        sees("to office")
    }

    @Test
    fun `an endpoint's secret is typed once, kept in the key store, and shown nowhere`() {
        prepared()
        opensTheApp()
        taps("Settings")
        taps("Change: office")
        types("Secret", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI=")
        taps("Save")
        sees("Signed; the secret is on this phone")
        taps("Change: office")
        sees("There is one.")
        assertEquals("", line("Secret")?.text.toString())
    }

    @Test
    fun `high contrast and larger text are there at once`() {
        prepared()
        opensTheApp()
        taps("Settings")
        taps("High contrast")
        until("the strong theme") { activity.theme.obtainStyledAttributes(intArrayOf(R.attr.pageColor)).getColor(0, 0) == android.graphics.Color.WHITE }
        taps("Largest text")
        until("larger text") { activity.resources.configuration.fontScale > 1.5f }
        sees("Settings")
    }
}
