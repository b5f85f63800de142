package dev.compass.core.android

import android.app.Activity
import android.app.Application
import android.app.job.JobScheduler
import android.os.Looper
import dev.compass.core.Compass
import dev.compass.core.CompassOptions
import dev.compass.core.SecretStore
import dev.compass.core.answer
import dev.compass.core.complete
import dev.compass.core.model.Action
import dev.compass.core.model.Endpoint
import dev.compass.core.model.FieldValue
import dev.compass.core.model.NetworkPolicy
import dev.compass.core.model.SecretLookup
import dev.compass.core.model.SessionKey
import dev.compass.core.model.Signing
import dev.compass.core.setField
import dev.compass.core.start
import java.io.Closeable
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.annotation.RealObject
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowJobScheduler
import org.robolectric.shadows.ShadowPausedLooper
import org.robolectric.util.ReflectionHelpers.ClassParameter
import java.util.concurrent.TimeUnit

/** A section with a text, and a webhook to the office at the end. */
const val PUMP_CHECK = """{
  "format": 1, "key": "pump-check", "version": 1, "name": "Pump check", "start": "arrive",
  "fields": [ { "key": "site", "name": "Site", "type": "text", "required": true } ],
  "sections": [
    { "key": "arrive", "name": "Arrive", "content": "Find the pump.", "fields": ["site"],
      "answers": [ { "key": "on", "name": "Go on", "next": "done" } ] },
    { "key": "done", "name": "Done", "content": "Good bye.", "win": true,
      "actions": [ { "key": "report", "name": "Report", "integration": "webhooks", "kind": "send_message", "endpoint": "office" } ] }
  ]
}"""

const val SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
const val JOB = 4001

/** The app of the tests: opens the real core as the documentation says, for receivers on loopback. */
class FieldApp : Application(), CompassHost {
    var secrets: SecretStore = SecretStore { _, _ -> SecretLookup.Found(SECRET, null) }
    var lazy = newProcess()
        private set

    override suspend fun compass(): Compass = lazy

    private fun newProcess() = CompassAndroid.lazy(this) { path, transport ->
        // So that attempts begin at once when the network comes.
        val retry = Compass.defaultRetryPolicy().copy(onlineSpread = java.time.Duration.ZERO)
        CompassOptions(path, { name, origin -> secrets.get(name, origin) }, transport, retry, allowPlainHttpToLoopback = true)
    }

    /** The process ends; only what is on flash is left. */
    suspend fun dies() {
        lazy.shutDown()
        lazy = newProcess()
    }
}

/** A phone with the app on it. The thread of a test is the phone's main thread. */
@RunWith(RobolectricTestRunner::class)
@Config(application = FieldApp::class, shadows = [Namespaces::class])
abstract class OnAPhone {
    val app: FieldApp by lazy { RuntimeEnvironment.getApplication() as FieldApp }
    val networks: FakeNetworks by lazy { FakeNetworks(app) }
    private val toClose = CopyOnWriteArrayList<Closeable>()

    fun <T : Closeable> T.closing(): T = also { toClose += it }

    @After
    fun closeEverything() {
        for (it in toClose.reversed()) it.close()
        if (RuntimeEnvironment.getApplication() is FieldApp) wait { app.dies() }
    }

    /** Waits for work on other threads while the main thread goes on, as it does on a phone. It fails after a limit. */
    fun <T> wait(work: suspend () -> T): T {
        val result = kotlinx.coroutines.CoroutineScope(Dispatchers.Default).async { work() }
        until("the work to end") { result.isCompleted }
        return runBlocking { result.await() }
    }

    /** Runs the main thread until [isSo] gives true. */
    fun until(what: String, isSo: () -> Boolean) {
        val main = Shadow.extract<ShadowPausedLooper>(Looper.getMainLooper())
        val last = System.nanoTime() + TimeUnit.SECONDS.toNanos(30)
        while (!isSo()) {
            check(System.nanoTime() < last) { "waited too long for $what" }
            main.idle()
            // Ends at once when something is posted.
            main.poll(POLL_MILLIS)
        }
    }

    /** The handle, with the workflow, the integration on, and the office at [url]. */
    fun ready(url: String = "https://office.test/hooks", network: NetworkPolicy = NetworkPolicy.ANY): Compass = wait {
        app.compass().apply {
            importWorkflow(PUMP_CHECK.toByteArray())
            setIntegrationEnabled(true)
            putEndpoint(Endpoint("office", url, Signing.StandardWebhooks("office-secret"), network = network))
        }
    }

    /** A technician goes through a session. */
    fun Compass.completed(): SessionKey = wait {
        val session = start("pump-check", actor = "jo").view.key
        val view = answer(setField(session, "site", FieldValue.Text("Mill Lane")).view, "on").view
        complete(view).view.key
    }

    fun Compass.action(session: SessionKey): Action = wait { record(session).actions.single() }

    fun deliverAutomatically(host: CompassHost = app, stopAfter: Duration = Duration.ZERO): AutomaticDelivery {
        val delivery = AutomaticDelivery.start(app, host, FlushScheduler(app, JOB), stopAfter)
        Closeable { wait { delivery.end() } }.closing()
        return delivery
    }

    private companion object {
        const val POLL_MILLIS = 20L
    }
}

/** A screen of the app. */
class Screen : Activity()

/** The schedulers of namespaces: the same one at each call, as on a phone. */
@Implements(className = "android.app.JobSchedulerImpl", isInAndroidSdk = false)
class Namespaces : ShadowJobScheduler.ShadowJobSchedulerImpl() {
    @RealObject
    private lateinit var real: JobScheduler
    private val own = ConcurrentHashMap<String, JobScheduler>()

    @Implementation
    fun forNamespace(namespace: String): JobScheduler = own.computeIfAbsent(namespace) {
        Shadow.directlyOn(real, "android.app.JobSchedulerImpl", "forNamespace", ClassParameter.from(String::class.java, it))
    }
}
