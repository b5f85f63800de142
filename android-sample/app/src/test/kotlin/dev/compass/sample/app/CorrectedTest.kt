package dev.compass.sample.app

import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** The office has the message: it is edited and corrected from the record, and sent again to an office that has lost it. */
class CorrectedTest : Technician() {
    private fun enabled(words: String) = all().filterIsInstance<TextView>().first { it.isClickable && it.text.toString() == words }.isEnabled

    @Test
    fun `an edited record says that the office has an older version, and both versions are in order`() = office().use { office ->
        prepared(office.url)
        signal()
        opensTheApp()
        completesASession()
        sees("Everything is sent")
        taps("Edit answers and notes")
        types("Site", "Mill Lane 2")
        types("Reason for the edit (may be left empty)", "Misread")
        taps("Save changes")
        sees("The office has an older version")
        sees("Reason for the edit: Misread")
        taps("Send correction: Report")
        sees("Version 2 (correction), sent ")
        val versions = seen().filter { it.startsWith("Version ") && ", sent " in it }
        assertEquals(listOf("Version 1", "Version 2 (correction)"), versions.map { it.substringBefore(", sent ") })
        assertEquals(2, office.received.size)
    }

    @Test
    fun `what was delivered is sent again from the menu, after a question`() = office().use { office ->
        prepared(office.url)
        opensTheApp()
        completesASession()
        taps("More")
        sees("There is no delivered message that can be sent again now.")
        assertFalse(enabled("Send delivered messages again"))
        taps("Close")
        signal()
        sees("Everything is sent")
        assertFalse("it is not among the buttons", all().filterIsInstance<TextView>().any { it.text.toString() == "Send delivered messages again" })
        taps("More")
        taps("Send delivered messages again")
        sees("This is for an office that has lost it.")
        taps("Send again")
        sees("1 message will be sent again")
        sees("Report: asked to send again what was delivered")
        sees("Sent again ")
        until("the message once more") { office.received.size == 2 }
        assertEquals(office.received[0].text, office.received[1].text)
        assertEquals(office.received[0].id, office.received[1].id)
    }

    @Test
    fun `the list marks a session that was changed since it was sent`() = office().use { office ->
        prepared(office.url)
        signal()
        opensTheApp()
        completesASession()
        sees("Everything is sent")
        taps("Edit answers and notes")
        types("Site", "Mill Lane 2")
        taps("Save changes")
        sees("The office has an older version")
        taps("Back")
        taps("Sessions")
        sees("Changed since sent")
        assertTrue(seen().count { it == "Changed since sent" } == 1)
    }
}
