package dev.compass.sample.app

import java.io.File
import kotlin.io.path.createTempDirectory
import org.junit.AfterClass
import org.junit.Assert.assertTrue
import org.junit.BeforeClass
import org.junit.Test

/** The file on flash cannot be opened when the app begins. */
class OpeningTest : Technician() {
    @Test
    fun `what cannot be opened is said, with the reason, and can be tried again`() {
        opensTheApp()
        sees("What is saved on this phone is damaged and cannot be opened.")
        phone.recreate()
        sees("What is saved on this phone is damaged and cannot be opened.")
        // There is nothing in it.
        taps("Save what can be read")
        sees("This file is not a backup of this app")
        // The office has looked after it.
        assertTrue(database.delete())
        taps("Try again")
        sees("There is no workflow on this phone yet.")
        sees("Everything is sent")
    }

    companion object {
        private val database get() = File(PhoneApp.flash, "no_backup/compass/compass.db")

        // Before this process has an app.
        @JvmStatic
        @BeforeClass
        fun aDamagedFile() {
            PhoneApp.flash = createTempDirectory("flash").toFile()
            database.parentFile!!.mkdirs()
            database.writeText("no database at all. ".repeat(500))
        }

        @JvmStatic
        @AfterClass
        fun ownFlash() {
            PhoneApp.flash = null
        }
    }
}
