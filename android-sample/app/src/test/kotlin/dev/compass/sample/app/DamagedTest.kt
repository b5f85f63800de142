package dev.compass.sample.app

import android.content.Intent
import android.net.Uri
import dev.compass.core.Compass
import dev.compass.core.CompassOptions
import dev.compass.core.model.Change
import dev.compass.core.model.Command
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldValue
import dev.compass.core.model.Start
import java.io.File
import java.io.RandomAccessFile
import kotlin.io.path.createTempDirectory
import kotlinx.coroutines.runBlocking
import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.BeforeClass
import org.junit.Test
import org.robolectric.Shadows.shadowOf

/** A day's work is on flash, and the flash has failed: the database is really damaged. */
class DamagedTest : Technician() {
    private val document = Uri.parse("content://downloads/compass-backup.db")

    @Test
    fun `what was not sent is saved and shared, and a copy is put back in the place of a damaged file`() {
        opensTheApp()
        sees("What is saved on this phone is damaged and cannot be opened.")
        taps("Save what can be read")
        sees("1 message that was not sent is in it")
        phone.recreate()
        sees("1 message that was not sent is in it")
        taps("Share the file")
        until("the chooser of apps") { shadowOf(activity).nextStartedActivity?.action == Intent.ACTION_CHOOSER }
        val saved = File(PhoneApp.flash, "no_backup/exports/compass-saved.jsonl").readLines()
        assertTrue(saved.first(), saved.first().startsWith("{\"unsent\":"))
        assertTrue(saved.any { "Mill Lane" in it })

        taps("Put back a copy")
        shadowOf(app.contentResolver).registerInputStreamSupplier(document) { backup.inputStream() }
        chooses(otherApp(), document)
        sees("What is on this phone now goes")
        taps("Cancel")
        taps("Put back a copy")
        chooses(otherApp(), document)
        taps("Put it back")
        sees("1 message is not delivered and would be lost")
        types("Why?", "It is saved")
        types("Your name", "Jo")
        taps("Give them up and go on")
        sees("Start: Pump check")
        assertEquals(0, wait { app.compass().sessions().sessions.size })
        taps("Settings")
        taps("Share the file")
    }

    companion object {
        private val database get() = File(PhoneApp.flash, "no_backup/compass/compass.db")
        private val backup get() = File(PhoneApp.flash, "backup.db")

        // Before this process has an app. The backup is older than the session.
        @JvmStatic
        @BeforeClass
        fun aDamagedFile() {
            PhoneApp.flash = createTempDirectory("flash").toFile()
            database.parentFile!!.mkdirs()
            runBlocking {
                Compass.open(CompassOptions(database.path)).use { compass ->
                    compass.importWorkflow(PUMP_CHECK.toByteArray())
                    compass.backup(backup.path)
                    compass.setIntegrationEnabled(true)
                    val session = compass.start(Start("start", "pump-check", actor = "Jo")).view.key
                    val site = FieldChange("site", Change.Set(FieldValue.Text("Mill Lane")))
                    compass.run(session, listOf(Command.SetFields(listOf(site)), Command.Answer(1, "on"), Command.Complete(2)), "Jo")
                }
            }
            damage(database)
        }

        /** A bit of the schema: the rows are all there. */
        private fun damage(file: File) {
            val at = file.readBytes().toString(Charsets.ISO_8859_1).indexOf("CREATE TRIGGER")
            RandomAccessFile(file, "rw").use {
                it.seek(at.toLong())
                it.write("CREATE TRIGGEX".toByteArray())
            }
        }

        @JvmStatic
        @AfterClass
        fun ownFlash() {
            PhoneApp.flash = null
        }
    }
}
