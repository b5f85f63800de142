package dev.compass.sample.app

import dev.compass.core.testing.SinkAnswer
import dev.compass.core.testing.WebhookSink
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** The receiver refuses a message: what a technician can do about it from the record. */
class RefusedTest : Technician() {
    private var answer = 422

    private fun refused(story: (WebhookSink) -> Unit) = office { SinkAnswer(answer) }.use { office ->
        prepared(office.url)
        signal()
        opensTheApp()
        completesASession()
        sees("Failed: The receiver refused the message")
        story(office)
    }

    private fun canTap(name: String) = all().any { it.isClickable && it.isEnabled && (it.contentDescription ?: (it as? android.widget.TextView)?.text)?.toString() == name }

    @Test
    fun `a message is given up with a name and a reason, and the record says who and why`() = refused {
        taps("Give it up: Report")
        sees("will not be sent any more")
        types("Why?", "The office has it by phone")
        assertFalse(canTap("Give it up"))
        types("Your name", "Kim")
        taps("Give it up")
        sees("Failed: Given up by a person")
        sees("Report: given up (The office has it by phone)")
        sees(", by Kim")
        assertEquals(0L, wait { app.compass().outboxTotals().needsPerson })
    }

    @Test
    fun `after a correction the changed message is sent, and the office gets both`() = refused { office ->
        taps("Edit answers and notes")
        types("Site", "Mill Lane 2")
        types("Reason for the edit (may be left empty)", "Misread")
        taps("Save changes")
        sees("Changes saved")
        sees("Reason for the edit: Misread")
        sees("This message has the values from before the edit")
        answer = 202
        taps("Send correction: Report")
        sees("Everything is sent")
        assertTrue("\"Mill Lane\"" in office.received.first().text)
        assertTrue("\"Mill Lane 2\"" in office.received.last().text)
    }

    @Test
    fun `after more than three failed sends it is locked`() = refused { office ->
        for (times in 2..4) {
            taps("Send again: Report")
            sees("Failed $times times")
        }
        sees("It failed too often to be sent again from this phone")
        assertFalse(canTap("Send again: Report"))
        assertEquals(4, office.received.size)
    }
}
