package dev.compass.sample.app

import android.content.Intent
import android.net.Uri
import java.io.IOException
import java.io.InputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Test
import org.robolectric.Shadows.shadowOf

/** A workflow comes onto the phone by its chooser of files. */
class ImportTest : Technician() {
    private val document = Uri.parse("content://downloads/pump-check.json")

    private fun opensTheChooser() {
        opensTheApp()
        taps("Settings")
        taps("Import a workflow file")
    }

    private fun provides(stream: () -> InputStream) = shadowOf(app.contentResolver).registerInputStreamSupplier(document, stream)

    private fun workflows() = wait { app.compass().workflows().map { it.workflow.key } }

    @Test
    fun `a good file is a workflow that can be started`() {
        opensTheChooser()
        val asked = otherApp()
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, asked.intent.action)
        provides { PUMP_CHECK.byteInputStream() }
        chooses(asked, document)
        sees("Imported: Pump check")
        taps("Workflows")
        taps("Start: Pump check")
        sees("Find the pump.")
    }

    @Test
    fun `the phone is turned while the chooser has the screen, and the file arrives`() {
        opensTheChooser()
        val asked = otherApp()
        phone.recreate()
        provides { PUMP_CHECK.byteInputStream() }
        chooses(asked, document)
        sees("Imported: Pump check")
    }

    @Test
    fun `a broken file shows what is wrong with it, and changes nothing`() {
        opensTheChooser()
        provides { PUMP_CHECK.replace("\"next\": \"done\"", "\"next\": \"nowhere\"").byteInputStream() }
        chooses(otherApp(), document)
        sees("This is not a workflow that can be used")
        sees("nowhere")
        assertEquals(emptyList<String>(), workflows())
        // The next one is taken as if nothing had been.
        taps("Import a workflow file")
        provides { PUMP_CHECK.byteInputStream() }
        chooses(otherApp(), document)
        sees("Imported: Pump check")
        assertFalse(seen().any { "nowhere" in it })
    }

    @Test
    fun `a file that cannot be read is said to be so`() {
        opensTheChooser()
        provides { throw IOException("the app that had it is gone") }
        chooses(otherApp(), document)
        sees("The file could not be read")
        assertEquals(emptyList<String>(), workflows())
    }

    @Test
    fun `a chooser that was left has done nothing, and opens again`() {
        opensTheChooser()
        leaves(otherApp())
        assertEquals(emptyList<String>(), workflows())
        taps("Import a workflow file")
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, otherApp().intent.action)
    }

    @Test
    fun `two taps open one chooser`() {
        opensTheChooser()
        taps("Import a workflow file")
        otherApp()
        assertEquals(null, shadowOf(activity).nextStartedActivityForResult)
    }
}
