package dev.compass.core.android.quickstart

import android.app.Activity
import dev.compass.core.android.FakeNetworks
import dev.compass.core.android.OnAPhone
import dev.compass.core.android.PUMP_CHECK
import dev.compass.core.model.ActionStatus
import dev.compass.core.testing.WebhookSink
import dev.compass.core.testing.loopbackTls
import java.io.File
import javax.net.ssl.HttpsURLConnection
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** The first lines of the documentation, unchanged, against a receiver with HTTPS. */
@Config(application = FieldApp::class)
class QuickstartTest : OnAPhone() {
    private fun linesOf(name: String) =
        File("src/test/kotlin/dev/compass/core/android/quickstart/$name.kt").readText().substringAfter("line for line.\n").trim()

    @Test
    fun `the documentation has these lines, and no more than fifteen of the first webhook`() {
        val guide = File("../../../docs/embedding-android.md").readText()
        for (name in listOf("Quickstart", "FlushWorker", "SessionModel", "FieldText", "Replays", "FieldTextTest")) assertTrue(name, guide.contains("```kotlin\n${linesOf(name)}\n```\n"))
        assertTrue(linesOf("Quickstart").lines().count { it.isNotBlank() } <= 15)
    }

    @Test
    fun `these lines deliver a webhook`() {
        val application = RuntimeEnvironment.getApplication() as FieldApp
        val tls = loopbackTls()
        val before = HttpsURLConnection.getDefaultSSLSocketFactory()
        HttpsURLConnection.setDefaultSSLSocketFactory(tls.socketFactory)
        try {
            FakeNetworks(application).network()
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
}
