package dev.compass.sample.app

import android.widget.TextView
import dev.compass.core.model.Change
import dev.compass.core.model.Command
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldValue
import dev.compass.core.model.Start
import org.junit.Assert.assertFalse
import org.junit.Test

/** A phone after weeks of work: its sessions are found again. */
class SessionsTest : Technician() {
    private fun rows() = all().count { it is TextView && it.text.startsWith("Started ") }

    private fun shows(rows: Int) = until("$rows sessions, not ${rows()}") { rows() == rows }

    private fun weeksOfWork(sessions: Int) = wait {
        val compass = app.compass()
        for (number in 1..sessions) {
            val begun = compass.start(Start("start-$number", "pump-check", actor = "Jo")).view
            if (number % 4 != 0) continue
            val fields = Command.SetFields(listOf(FieldChange("site", Change.Set(FieldValue.Text("Mill Lane $number")))))
            val moved = compass.run(begun.key, listOf(fields, Command.Answer(begun.visit, "on")), "Jo").view
            compass.run(begun.key, listOf(Command.Complete(moved.visit)), "Jo")
        }
    }

    @Test
    fun `a page at a time, by filter and by words`() {
        prepared()
        weeksOfWork(36)
        opensTheApp()
        taps("Sessions")
        shows(30)
        taps("Show more")
        shows(36)
        assertFalse(all().any { it is TextView && it.text.toString() == "Show more" })
        taps("Won")
        shows(9)
        taps("In progress")
        shows(27)
        taps("Waiting")
        shows(9)
        taps("Failed")
        sees("No session here.")
        taps("All")
        types("Search notes and answers", "lane 12")
        shows(1)
    }

    @Test
    fun `in a session an objection is met, a note is written, and one goes back by the list of steps`() {
        prepared(document = WITH_RESPONSE)
        opensTheApp()
        startsASession()
        taps("Objection: It is too expensive")
        sees("A dry cellar is dearer.")
        sees("No signal: everything is saved")
        taps("I used it")
        sees("Noted that it was used")
        taps("Add a note")
        types("What should be remembered?", "The cellar is locked at noon")
        taps("Save the note")
        sees("The cellar is locked at noon")
        taps("It runs")
        sees("Good bye.")
        taps("Go back to a step")
        taps("Arrive: It runs")
        sees("Find the pump.")
        taps("It runs")
        taps("Review and complete")
        taps("Complete")
        sees("Objection met: It is too expensive")
        sees("Note: The cellar is locked at noon")
        sees("Went back")
    }
}
