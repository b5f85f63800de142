package dev.compass.sample.app

import android.net.Uri
import dev.compass.sample.app.device.Attachments
import dev.compass.sample.app.device.Exports
import java.io.File
import java.io.IOException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf

/** A backup takes the place of what is on the phone, and everything is erased; the app goes on. */
class BackupTest : Technician() {
    private val document = Uri.parse("content://downloads/compass-backup.db")

    private fun backsUp(): ByteArray {
        taps("Settings")
        taps("Back up")
        sees("Written: compass-backup.db")
        return File(Exports.folder(app), "compass-backup.db").readBytes()
    }

    private fun putsBack(backup: ByteArray) {
        taps("Put a backup back")
        shadowOf(app.contentResolver).registerInputStreamSupplier(document) { backup.inputStream() }
        chooses(otherApp(), document)
        sees("What is on this phone now goes")
    }

    private fun sessions() = wait { app.compass().sessions().sessions.size }

    @Test
    fun `a backup is put back after the messages that would be lost were given up, and the app delivers from what is there then`() {
        office().use { office ->
            prepared(office.url)
            opensTheApp()
            val backup = backsUp()
            taps("Workflows")
            completesASession()
            taps("Back")
            taps("Settings")
            putsBack(backup)
            phone.recreate()
            taps("Put it back")
            sees("1 message is not delivered and would be lost")
            assertEquals(1, sessions())
            types("Why?", "The office has it on paper")
            types("Your name", "Jo")
            taps("Give them up and go on")
            sees("The backup is back")
            sees("No signal: everything is saved")
            assertEquals(0, sessions())
            assertEquals(listOf("compass-backup.db"), Exports.folder(app).list()!!.toList())

            taps("Workflows")
            completesASession()
            sees("No signal: 1 saved, will send")
            signal()
            sees("Everything is sent")
            assertEquals(1, office.received.size)
        }
    }

    @Test
    fun `who says no keeps what is on the phone`() {
        prepared()
        opensTheApp()
        val backup = backsUp()
        taps("Workflows")
        completesASession()
        taps("Back")
        taps("Settings")
        putsBack(backup)
        taps("Cancel")
        putsBack(backup)
        taps("Put it back")
        sees("1 message is not delivered and would be lost")
        taps("Cancel")
        sees("No signal: 1 saved, will send")
        assertEquals(1, sessions())
    }

    @Test
    fun `a file that is no backup, or cannot be read, is said to be so`() {
        prepared()
        opensTheApp()
        taps("Settings")
        putsBack("Once upon a time there was a pump. ".repeat(200).toByteArray())
        taps("Put it back")
        sees("This file is not a backup of this app")
        taps("Put a backup back")
        shadowOf(app.contentResolver).registerInputStreamSupplier(document) { throw IOException("the app that had it is gone") }
        chooses(otherApp(), document)
        sees("The file could not be read")
        assertEquals(1, wait { app.compass().workflows().size })
    }

    @Test
    fun `everything is erased after two questions, and the app begins again`() {
        prepared()
        val photo = Attachments(app).create("jpg")
        opensTheApp()
        taps("Settings")
        types("Your name", "Jo")
        backsUp()
        taps("Erase everything")
        sees("are removed from this phone")
        taps("Go on")
        sees("It cannot be brought back")
        assertTrue(wait { app.secrets.has("office-secret") })
        taps("Erase it now")
        sees("Everything is erased")
        assertFalse(wait { app.secrets.has("office-secret") })
        assertFalse(photo.exists() || Exports.folder(app).exists())
        until("no name") { line("Your name")?.text.toString() == "" }
        taps("Workflows")
        sees("There is no workflow on this phone yet.")

        prepared()
        completesASession()
        sees("No signal: 1 saved, will send")
    }
}
