package dev.compass.core.android.quickstart

import android.app.Activity
import dev.compass.core.android.Air
import dev.compass.core.android.OnAPhone
import dev.compass.core.android.PUMP_CHECK
import dev.compass.core.model.ActionStatus
import dev.compass.core.testing.WebhookSink
import java.io.File
import java.security.KeyStore
import java.util.concurrent.TimeUnit
import javax.net.ssl.HttpsURLConnection
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** The first lines of the documentation, as they stand there, against a receiver with HTTPS. */
@Config(application = FieldApp::class)
class QuickstartTest : OnAPhone() {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `the documentation has these lines, and no more than fifteen`() {
        val source = File("src/test/kotlin/dev/compass/core/android/quickstart/Quickstart.kt").readText()
        val lines = source.substringAfter("line for line.\n").trim()
        assertTrue(File("../../../docs/embedding-android.md").readText().contains("```kotlin\n$lines\n```\n"))
        assertTrue(lines.lines().count { it.isNotBlank() } <= 15)
    }

    @Test
    fun `these lines deliver a webhook`() {
        val application = RuntimeEnvironment.getApplication() as FieldApp
        val tls = tls()
        val before = HttpsURLConnection.getDefaultSSLSocketFactory()
        HttpsURLConnection.setDefaultSSLSocketFactory(tls.socketFactory)
        try {
            Air(application).network()
            val office = WebhookSink(tls).closing()
            Robolectric.buildActivity(Activity::class.java).setup()
            val compass = wait { application.compass() }
            val workflow = PUMP_CHECK.replace(""", "required": true""", "")
            val session = wait { firstWebhook(compass, workflow.toByteArray(), office.url) }
            until("the webhook") { office.received.isNotEmpty() }
            assertTrue(office.received.single().text.contains(session))
            until("the record to say so") { wait { compass.record(session) }.actions.single().status == ActionStatus.SENT }
            assertEquals(1, office.received.size)
            wait { compass.shutDown() }
        } finally {
            HttpsURLConnection.setDefaultSSLSocketFactory(before)
        }
    }

    /** A certificate for loopback, and the trust in it, made by the JDK's keytool. */
    private fun tls(): SSLContext {
        val file = File(folder.root, "office.p12")
        val keytool = ProcessBuilder(
            File(System.getProperty("java.home"), "bin/keytool").path, "-genkeypair", "-alias", "office", "-keyalg", "EC",
            "-dname", "CN=office", "-ext", "san=ip:127.0.0.1", "-storetype", "PKCS12", "-keystore", file.path, "-storepass", "changeit",
        ).redirectErrorStream(true).start()
        val said = keytool.inputStream.readBytes().decodeToString()
        check(keytool.waitFor(60, TimeUnit.SECONDS) && keytool.exitValue() == 0) { said }
        val store = KeyStore.getInstance(file, "changeit".toCharArray())
        val keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).apply { init(store, "changeit".toCharArray()) }
        val trusted = KeyStore.getInstance(KeyStore.getDefaultType()).apply {
            load(null)
            setCertificateEntry("office", store.getCertificate("office"))
        }
        val trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(trusted) }
        return SSLContext.getInstance("TLS").apply { init(keys.keyManagers, trust.trustManagers, null) }
    }
}
