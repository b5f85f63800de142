package dev.compass.sample.app

import android.content.Intent
import android.net.Uri
import dev.compass.core.Compass
import dev.compass.core.CompassOptions
import dev.compass.core.TransportOutcome
import dev.compass.core.TransportRequest
import dev.compass.core.SecretStore
import dev.compass.core.Transport
import dev.compass.core.model.FailureKind
import dev.compass.core.model.Phase
import dev.compass.core.model.RequestSent
import dev.compass.core.model.SecretLookup
import dev.compass.core.model.TransportFailure
import java.io.FileNotFoundException
import kotlin.io.path.createTempDirectory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf

/** What a technician hands to support: by another app, which may read one file and nothing else. */
class ExportTest : Technician() {
    private fun exports(what: String): Uri {
        prepared(office = "https://office.test/hooks/a-path-that-is-a-secret")
        opensTheApp()
        completesASession()
        taps("Back")
        taps("Settings")
        taps(what)
        taps("Share the file")
        var chooser: Intent? = null
        until("the chooser of apps") { shadowOf(activity).nextStartedActivity.also { chooser = it } != null }
        assertEquals(Intent.ACTION_CHOOSER, chooser!!.action)
        @Suppress("DEPRECATION")
        val share = chooser!!.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        @Suppress("DEPRECATION")
        val address = share.getParcelableExtra<Uri>(Intent.EXTRA_STREAM)!!
        for (intent in listOf(chooser!!, share)) {
            assertEquals(Intent.FLAG_GRANT_READ_URI_PERMISSION, intent.flags and (Intent.FLAG_GRANT_READ_URI_PERMISSION or Intent.FLAG_GRANT_WRITE_URI_PERMISSION))
            assertEquals(address, intent.clipData!!.getItemAt(0).uri)
        }
        return address
    }

    private fun read(address: Uri): ByteArray = app.contentResolver.openInputStream(address)!!.use { it.readBytes() }

    @Test
    fun `diagnostics hold numbers and codes, and no answer, secret or path of an address`() {
        val text = read(exports("Export diagnostics")).decodeToString()
        assertTrue(text, "1 completed" in text && "1 pending" in text && "endpoint office" in text)
        for (hidden in listOf("Mill Lane", SECRET, SECRET.removePrefix("whsec_"), "a-path-that-is-a-secret", "/hooks", "office.test/")) assertFalse(hidden, hidden in text)
    }

    @Test
    fun `the copy of the database is one that the core opens, with the session in it`() {
        val address = exports("Back up")
        assertThrows(FileNotFoundException::class.java) { app.contentResolver.openOutputStream(address) }
        val bytes = read(address)
        assertEquals("SQLite format 3\u0000", bytes.copyOf(16).decodeToString())
        val copy = createTempDirectory("copy").resolve("compass.db").toFile().apply { writeBytes(bytes) }
        val nowhere = object : Transport {
            override fun send(request: TransportRequest) =
                TransportOutcome.Failed(TransportFailure(FailureKind.NoNetwork, Phase.CONNECT, RequestSent.NO, "out of reach"))
        }
        val session = session()
        wait {
            val opened = Compass.open(CompassOptions(copy.path, SecretStore { _, _ -> SecretLookup.Missing }, nowhere))
            try {
                assertEquals(session, opened.sessions().sessions.single().key)
            } finally {
                opened.shutDown()
            }
        }
    }
}
