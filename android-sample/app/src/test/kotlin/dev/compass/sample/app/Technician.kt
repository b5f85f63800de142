package dev.compass.sample.app

import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.content.Context
import android.content.SharedPreferences
import android.net.ConnectivityManager
import android.net.NetworkCapabilities
import android.os.Bundle
import android.os.Looper
import android.os.PersistableBundle
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.TextView
import dev.compass.core.android.FlushJobService
import dev.compass.core.model.Endpoint
import dev.compass.core.model.Signing
import dev.compass.core.testing.ReceivedWebhook
import dev.compass.core.testing.SinkAnswer
import dev.compass.core.testing.WebhookSink
import dev.compass.core.testing.loopbackTls
import dev.compass.sample.app.kit.Line
import java.io.File
import java.util.concurrent.TimeUnit
import javax.net.ssl.HttpsURLConnection
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowNetworkCapabilities
import org.robolectric.shadows.ShadowPausedLooper

const val SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

/** The app as it is, on the real core. It keeps its files where a second process finds them when told so. */
class PhoneApp : SampleApp() {
    override fun getNoBackupFilesDir(): File = flash?.let { File(it, "no_backup").apply { mkdirs() } } ?: super.getNoBackupFilesDir()

    override fun getSharedPreferences(name: String, mode: Int): SharedPreferences =
        flash?.let { baseContext.getSharedPreferences(File(it, "$name.xml"), mode) } ?: super.getSharedPreferences(name, mode)

    /** The process ends in good order, so that the next test can begin. */
    suspend fun end() {
        delivery.end()
        compass().shutDown()
    }

    companion object {
        /** What outlives a process. */
        var flash: File? = System.getProperty("phone.flash")?.let(::File)
    }
}

/** A technician with a phone. The thread of the test is the phone's main thread. */
@RunWith(RobolectricTestRunner::class)
@Config(application = PhoneApp::class, qualifiers = "en-rGB-w411dp-h891dp-mdpi", shadows = [Namespaces::class])
abstract class Technician {
    val app: PhoneApp by lazy { RuntimeEnvironment.getApplication() as PhoneApp }
    private val manager by lazy { app.getSystemService(ConnectivityManager::class.java)!! }
    private val info by lazy { manager.activeNetworkInfo }
    lateinit var phone: ActivityController<MainActivity>
    val activity: MainActivity get() = phone.get()

    @Before
    fun switchOn() {
        FakeKeystore.install()
        HttpsURLConnection.setDefaultSSLSocketFactory(tls.socketFactory)
        info
        noSignal()
    }

    @After
    fun switchOff() {
        wait { app.end() }
        HttpsURLConnection.setDefaultSSLSocketFactory(usualTrust)
    }

    /** The office's receiver, with HTTPS on loopback. The phone trusts its certificate, as if the phone's administrator had put it there. */
    fun office(answer: (ReceivedWebhook) -> SinkAnswer = { SinkAnswer(202) }) = WebhookSink(tls, answer)

    fun noSignal() {
        val gone = manager.activeNetwork
        shadowOf(manager).setActiveNetworkInfo(null)
        if (gone != null) shadowOf(manager).networkCallbacks.toList().forEach { it.onLost(gone) }
    }

    /** Android has looked, and the network leads to the internet. */
    fun signal() {
        shadowOf(manager).setActiveNetworkInfo(info)
        val network = manager.activeNetwork!!
        val capabilities = ShadowNetworkCapabilities.newInstance()
        for (it in listOf(NetworkCapabilities.NET_CAPABILITY_INTERNET, NetworkCapabilities.NET_CAPABILITY_VALIDATED)) shadowOf(capabilities).addCapability(it)
        shadowOf(manager).setNetworkCapabilities(network, capabilities)
        shadowOf(manager).networkCallbacks.toList().forEach { it.onCapabilitiesChanged(network, capabilities) }
    }

    /** What the office has prepared on the phone. */
    fun prepared(office: String = "https://office.test/hooks", document: String = PUMP_CHECK) = wait {
        app.secrets.put("office-secret", SECRET)
        app.compass().run {
            importWorkflow(document.toByteArray())
            setIntegrationEnabled(true)
            putEndpoint(Endpoint("office", office, Signing.StandardWebhooks("office-secret")))
        }
    }

    fun opensTheApp() {
        phone = Robolectric.buildActivity(MainActivity::class.java).setup()
    }

    /** Until nothing of the app listens any more: from then on only a job of Android's delivers. */
    fun leavesTheApp() {
        phone.pause().stop()
        until("the app to release the network") { shadowOf(manager).networkCallbacks.isEmpty() }
    }

    fun returnsToTheApp() {
        phone.restart().start().resume()
    }

    /** As Android does it: the job that is planned leaves the list, runs, and ends. */
    fun androidRunsTheJob() {
        val scheduler = app.getSystemService(JobScheduler::class.java)!!.forNamespace("dev.compass.core")
        until("a job") { scheduler.getPendingJob(SampleApp.DELIVERY_JOB) != null }
        scheduler.cancel(SampleApp.DELIVERY_JOB)
        val job = Robolectric.buildService(FlushJobService::class.java).create().get()
        val parameters = JobParameters(null, null, SampleApp.DELIVERY_JOB, PersistableBundle(), Bundle(), null, 0, false, false, false, null, null, null)
        assertTrue(job.onStartJob(parameters))
        until("the job to end") { shadowOf(job).isJobFinished }
    }

    /** Taps what is called so, once it is there and takes a tap. */
    fun taps(name: String) {
        var target: View? = null
        until({ "\"$name\" to tap" }) { all().firstOrNull { it.isClickable && it.isEnabled && it.name == name }.also { target = it } != null }
        target!!.performClick()
        shadowOf(Looper.getMainLooper()).idle()
    }

    fun types(label: String, text: String) {
        var line: EditText? = null
        until({ "a line called \"$label\"" }) { line(label).also { line = it } != null }
        line!!.requestFocus()
        line!!.setText(text)
    }

    fun line(label: String): EditText? = all().filterIsInstance<EditText>().firstOrNull { (it as? Line)?.label == label }

    fun sees(words: String) = until({ "\"$words\" to be seen" }) { seen().any { words in it } }

    fun seen(): List<String> = all().filterIsInstance<TextView>().map { it.text.toString() }.filter { it.isNotEmpty() }.toList()

    fun all(): Sequence<View> = below(activity.window.decorView)

    private fun below(view: View): Sequence<View> = sequence {
        if (view.visibility != View.VISIBLE) return@sequence
        yield(view)
        if (view is ViewGroup) for (place in 0 until view.childCount) yieldAll(below(view.getChildAt(place)))
    }

    private val View.name: String get() = contentDescription?.toString() ?: (this as? TextView)?.text?.toString().orEmpty()

    /** Waits for other threads while the main thread goes on, as it does on a phone. */
    fun <T> wait(work: suspend () -> T): T {
        val result = CoroutineScope(Dispatchers.Default).async { work() }
        until({ "the work to end" }) { result.isCompleted }
        return runBlocking { result.await() }
    }

    fun until(what: String, isSo: () -> Boolean) = until({ what }, isSo)

    private fun until(what: () -> String, isSo: () -> Boolean) {
        val main = Shadow.extract<ShadowPausedLooper>(Looper.getMainLooper())
        val last = System.nanoTime() + TimeUnit.SECONDS.toNanos(30)
        while (!isSo()) {
            if (System.nanoTime() > last) throw AssertionError("waited too long for ${what()}; on the screen: ${if (::phone.isInitialized) seen() else emptyList()}")
            main.idle()
            main.poll(POLL_MILLIS)
        }
    }

    companion object {
        private const val POLL_MILLIS = 20L
        private val tls by lazy { loopbackTls() }
        private val usualTrust = HttpsURLConnection.getDefaultSSLSocketFactory()

        /** Two sections, and a message to the office at the end. */
        const val PUMP_CHECK = """{
  "format": 1, "key": "pump-check", "version": 1, "name": "Pump check", "start": "arrive",
  "fields": [
    { "key": "site", "name": "Site", "type": "text", "required": true },
    { "key": "bar", "name": "Pressure", "type": "decimal" }
  ],
  "sections": [
    { "key": "arrive", "name": "Arrive", "content": "Find the pump.", "fields": ["site", "bar"],
      "answers": [ { "key": "on", "name": "It runs", "next": "done" } ] },
    { "key": "done", "name": "Finished", "content": "Good bye.", "win": true,
      "actions": [ { "key": "report", "name": "Report", "integration": "webhooks", "kind": "send_message", "endpoint": "office" } ] }
  ]
}"""
    }
}
