package dev.compass.sample.app

import android.app.Application
import android.view.View
import android.view.ViewGroup
import android.widget.ImageView
import android.widget.TextView
import dev.compass.sample.app.kit.Line
import dev.compass.sample.app.kit.Page
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** What a screen reader says: what to jump to, what it tells unasked, and what only an eye would see otherwise. */
@RunWith(RobolectricTestRunner::class)
@Config(application = Application::class)
class SpokenTest {
    private fun screen(name: String): List<View> = shown(Stage.show(name, Look.LIGHT)).toList()

    private fun shown(view: View): Sequence<View> = sequence {
        if (view.visibility != View.VISIBLE) return@sequence
        yield(view)
        if (view is ViewGroup) for (place in 0 until view.childCount) yieldAll(shown(view.getChildAt(place)))
    }

    private fun List<View>.text(words: String): TextView = filterIsInstance<TextView>().first { it.text.toString() == words }

    private fun List<View>.headings(): List<String> = filterIsInstance<TextView>().filter { it.isAccessibilityHeading }.map { it.text.toString() }

    /** How urgently a change of these words is told; of a group as of the words in it. */
    private fun urgency(view: View): Int = generateSequence(view) { it.parent as? View }.map { it.accessibilityLiveRegion }
        .firstOrNull { it != View.ACCESSIBILITY_LIVE_REGION_NONE } ?: View.ACCESSIBILITY_LIVE_REGION_NONE

    @Test
    fun `one jumps through a screen by its headings`() {
        assertEquals(listOf("Boiler service", "Messages", "Your answers", "Notes", "What happened"), screen("record").headings())
        assertEquals(listOf("Boiler service", "Combustion test", "If you are asked", "Notes"), screen("session").headings())
        assertEquals(listOf("Workflows", "Boiler service", "Start something new", "Boiler service", "Pump check"), screen("workflows").headings())
        assertEquals(listOf("Review", "Still missing", "Done", "Your answers"), screen("review-missing").headings())
        assertEquals(listOf("Outbox", "3 messages wait", "1 message needs you", "Waiting"), screen("outbox").headings())
        assertEquals(listOf("Settings", "Your name", "Workflows", "Webhooks", "Reading and screen", "Backup and support"), screen("settings").headings())
    }

    @Test
    fun `what changes by itself is told when nothing else is, and what a tap came to at once`() {
        val polite = View.ACCESSIBILITY_LIVE_REGION_POLITE
        val session = screen("session-every-field")
        for (words in listOf("Not saved yet: see the field", "An answer is needed here", "2 things are missing", "No signal: 3 saved, will send")) {
            assertEquals(words, polite, urgency(session.text(words)))
        }
        assertEquals(polite, urgency(session.first { it is TextView && "53.479" in it.text }))
        assertEquals(polite, urgency(screen("session").text("Saved on this phone")))
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE, urgency(screen("workflows").text("Imported: Boiler service")))
    }

    @Test
    fun `a question with an answer says so beside the mark`() {
        val marks = screen("session").filterIsInstance<ImageView>().filter { it.contentDescription == "Answered" }
        assertEquals(2, marks.size)
        assertTrue(marks.all { it.isImportantForAccessibility })
    }

    @Test
    fun `a line is called by its question, and what was typed is read out`() {
        val line = screen("session").filterIsInstance<Line>().first().createAccessibilityNodeInfo()
        assertEquals("Flue temperature", line.hintText)
        assertEquals("182.5", line.text.toString())
        assertNull(line.contentDescription)
    }

    @Test
    fun `a form or a question that opens tells its title`() {
        for ((name, title) in mapOf("session-note" to "Add a note", "workflow-add" to "Send a message from here", "record-abandon" to "Give it up", "record-menu" to "More", "record-replay" to "Send delivered messages again", "settings-endpoint" to "Endpoint", "settings-undelivered" to "Messages would be lost")) {
            assertEquals(title, screen(name).filterIsInstance<Page>().single().accessibilityPaneTitle.toString())
        }
    }

    @Test
    fun `of the four at the bottom one is chosen`() {
        val tabs = screen("outbox").filterIsInstance<Page>().single().tabs
        assertEquals(listOf("Outbox"), (0 until tabs.childCount).map(tabs::getChildAt).filter { it.isSelected }.map { it.contentDescription.toString() })
    }
}
