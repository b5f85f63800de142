package dev.compass.sample.story

import dev.compass.core.Compass
import dev.compass.core.CompassOptions
import dev.compass.core.TransportOutcome
import dev.compass.core.TransportRequest
import dev.compass.core.TransportResponse
import dev.compass.core.SecretStore
import dev.compass.core.Transport
import dev.compass.core.model.Connectivity
import dev.compass.core.model.FailureKind
import dev.compass.core.model.Phase
import dev.compass.core.model.RequestSent
import dev.compass.core.model.SecretLookup
import dev.compass.core.model.TransportFailure
import dev.compass.sample.FakeExports
import dev.compass.sample.FakePreferences
import dev.compass.sample.FakeVault
import dev.compass.sample.SampleApp
import dev.compass.sample.core.CompassDatabase
import dev.compass.sample.core.PhoneNetwork
import dev.compass.sample.core.SignalCompass
import dev.compass.sample.nav.Navigator
import dev.compass.sample.screen.Model
import dev.compass.sample.screen.Workplace
import java.nio.file.Files
import java.nio.file.Path
import java.util.Locale
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executors
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.job
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** The office at the other end: answers as it is told, and keeps what arrived. */
class Office : Transport {
    val received = ConcurrentLinkedQueue<String>()

    @Volatile
    var status = 202

    @Volatile
    var reachable = true

    override fun send(request: TransportRequest): TransportOutcome {
        if (!reachable) return TransportOutcome.Failed(TransportFailure(FailureKind.NoNetwork, Phase.CONNECT, RequestSent.NO, "out of reach"))
        received += String(request.body)
        return TransportOutcome.Answered(TransportResponse(status))
    }
}

/** The handle of a phone without Android, or a fake in its place. */
class OneHandle(private val path: String, private val open: suspend () -> Compass) {
    val network = PhoneNetwork()
    val compass = Compass.lazy({ path }) { SignalCompass(open(), network) }
    val database = CompassDatabase(compass) { path }
}

/** A phone with the real core, whose screens run on one thread as on Android. [restored] is what Android kept of the screens. */
class Phone private constructor(private val handles: OneHandle, private val office: Office, restored: String?, main: CoroutineScope) {
    private val screens = CoroutineScope(main.coroutineContext + Job(main.coroutineContext.job))
    val vault = FakeVault()
    val exports = FakeExports()
    val compass: Compass = handles.compass
    val navigator = Navigator(restored)
    val work = Workplace(compass, handles.database, handles.network, navigator, FakePreferences(), { Locale.UK })
    val app = SampleApp(work, vault, exports)

    /** A screen's scope. */
    val scope: CoroutineScope get() = screens

    /** The network callback of the phone. */
    suspend fun network(there: Boolean) {
        office.reachable = there
        val online = Connectivity.Online(validated = true, metered = false, network = 1)
        handles.compass.setConnectivity(if (there) online else Connectivity.Offline)
    }

    /** As the settings do. */
    suspend fun simulateOffline(simulate: Boolean) = compass.setConnectivity(handles.network.play(simulate))

    /** As the outbox does. */
    suspend fun sendNow() = compass.flush(urgent = true)

    /** The process ends in good order. */
    suspend fun shutDown() {
        screens.coroutineContext.job.cancelAndJoin()
        handles.compass.shutDown()
    }

    companion object {
        const val SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

        suspend fun switchOn(file: Path, office: Office, main: CoroutineScope, restored: String? = null): Phone {
            val secrets = SecretStore { _, _ -> SecretLookup.Found(SECRET, null) }
            val handles = OneHandle(file.toString()) { Compass.open(CompassOptions(file.toString(), secrets, office)) }
            handles.compass.opened()
            return Phone(handles, office, restored, main)
        }
    }
}

/** Waits for a screen to be like this. */
suspend fun <S> Model<S, *>.until(condition: (S) -> Boolean): S = try {
    withTimeout(20.seconds) { state.first { condition(it) } }
} catch (late: kotlinx.coroutines.TimeoutCancellationException) {
    throw AssertionError("the screen stayed at ${state.value}", late)
}

/** A story on one main thread. */
fun story(body: suspend CoroutineScope.() -> Unit) {
    Executors.newSingleThreadExecutor().asCoroutineDispatcher().use { main -> runBlocking(main) { withTimeout(60.seconds) { body() } } }
}

/** A workflow of the examples of this repository. */
fun example(name: String): ByteArray = Files.readAllBytes(Path.of(System.getProperty("repository.root"), "examples/workflows/$name.json"))

/** Pulls the battery: what is on flash at this moment, in another place. The first process is not asked. */
fun pullBattery(from: Path, to: Path): Path {
    Files.createDirectories(to)
    // The journal first would miss what moves into the file meanwhile; nothing does while nobody writes.
    for (name in listOf("compass.db", "compass.db-wal")) {
        val file = from.resolve(name)
        if (Files.exists(file)) Files.copy(file, to.resolve(name))
    }
    return to.resolve("compass.db")
}
