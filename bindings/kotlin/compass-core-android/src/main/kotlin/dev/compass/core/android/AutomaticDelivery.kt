package dev.compass.core.android

import android.app.Activity
import android.app.Application
import android.os.Bundle
import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.Hold
import dev.compass.core.LazyCompass
import dev.compass.core.model.Connectivity
import java.io.Closeable
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.drop
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/**
 * Automatic delivery, as long as the process lives. While an activity is visible, due messages are sent at once and the network is watched.
 * A few seconds after the last activity is gone the hold is released, and one job of Android's JobScheduler takes over ([FlushJobService]).
 * The job is always planned, so that it exists when the process dies.
 *
 * Start it in `Application.onCreate`, only in the process that has the database. It opens the handle, on another thread. When the handle is
 * closed, for a logout or while the database is replaced, the job is cancelled, and nothing is done until the app uses its handle again
 * ([LazyCompass]), or has another one.
 *
 * ```kotlin
 * override fun onCreate() {
 *     super.onCreate()
 *     AutomaticDelivery.start(this)
 * }
 * ```
 */
public class AutomaticDelivery private constructor(
    private val application: Application,
    private val host: CompassHost,
    private val scheduler: FlushScheduler,
    private val stopAfter: Duration,
) : Closeable {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val visible = MutableStateFlow(false)

    /** The app's handle; null before it is open, and while it is closed because the database is replaced. */
    private val handle = MutableStateFlow<Compass?>(null)
    private val activities = Visibility { visible.value = it }

    private fun begin() {
        application.registerActivityLifecycleCallbacks(activities)
        scope.launch {
            try {
                coroutineScope {
                    launch { keepTheJobPlanned() }
                    launch { followTheForeground() }
                }
            } finally {
                withContext(NonCancellable) { scheduler.cancelJob() }
            }
        }
    }

    private suspend fun keepTheJobPlanned() {
        var over: Compass? = null
        while (true) {
            var closed = false
            guarded("the job cannot be planned") {
                val compass = next(over) ?: return@guarded
                handle.value = compass
                planUntilClosed(compass)
                handle.value = null
                scheduler.cancelJob()
                over = compass
                closed = true
            }
            // After a closed handle the app may have another one, so there is no wait.
            if (!closed) withTimeoutOrNull(RETRY) { visible.drop(1).first { it } }
        }
    }

    /** The handle after this one. After a close, only the app opens the next one. */
    private suspend fun next(over: Compass?): Compass? {
        val compass = host.compass()
        return when {
            compass !is LazyCompass -> compass.takeIf { it !== over }
            over == null -> compass.opened()
            else -> compass.current.filterNotNull().first { it !== over }
        }
    }

    private suspend fun planUntilClosed(compass: Compass) {
        try {
            compass.observeNextDue().collect { scheduler.plan(compass) }
        } catch (failed: CompassException) {
            if (failed.code != ErrorCode.CLOSED) throw failed
        }
    }

    private suspend fun followTheForeground() {
        var foreground: Foreground? = null
        try {
            combine(visible, handle, ::Pair).collectLatest { (isVisible, compass) ->
                // It takes a moment to see whether another activity follows, and attempts in flight may end meanwhile.
                if (!isVisible && foreground?.compass === compass && compass != null) delay(stopAfter)
                withContext(NonCancellable) {
                    if (!isVisible || foreground?.compass !== compass) {
                        foreground?.leave()
                        foreground = null
                    }
                    if (isVisible && foreground == null && compass != null) {
                        guarded("the foreground cannot deliver") { foreground = Foreground.enter(application, compass, scheduler) }
                    }
                }
            }
        } finally {
            withContext(NonCancellable) { foreground?.leave() }
        }
    }

    /** Ends it, and returns when the hold is released and the job is cancelled: nothing is delivered or planned after that. */
    public suspend fun end() {
        close()
        scope.coroutineContext.job.join()
    }

    /** Begins to end it, and does not wait. Before you close the handle or start another delivery, call [end] instead. */
    override fun close() {
        application.unregisterActivityLifecycleCallbacks(activities)
        scope.cancel()
    }

    public companion object {
        /** The number of the job by default: high, because other libraries count upwards. */
        public const val JOB_ID: Int = 0x434F4D50

        /** How long the handle is held after the last activity. Android does not freeze the process before that. */
        internal val STOP_AFTER: Duration = 5.seconds

        /** A database that cannot be read now may be readable in a minute, or when an activity is visible. */
        private val RETRY: Duration = 1.minutes

        /** Whether a monitor reports the network to the core; a job then does not. */
        @Volatile
        internal var watchesNetwork: Boolean = false

        /**
         * Starts it, for the life of the process.
         *
         * @param jobId the number of its job. From Android 14 on only this library's jobs use it. Before, jobs of an app and of all its
         *   libraries share their numbers: by default WorkManager counts from 0 upwards.
         */
        public fun <A> start(application: A, jobId: Int = JOB_ID): AutomaticDelivery where A : Application, A : CompassHost =
            start(application, application, FlushScheduler(application, jobId), STOP_AFTER)

        internal fun start(application: Application, host: CompassHost, scheduler: FlushScheduler, stopAfter: Duration): AutomaticDelivery =
            AutomaticDelivery(application, host, scheduler, stopAfter).apply { begin() }
    }
}

/** The state while an activity is visible. */
private class Foreground(
    val compass: Compass,
    private val hold: Hold,
    private val monitor: ConnectivityMonitor,
    private val scheduler: FlushScheduler,
) {
    private var reporting: Job? = null

    private suspend fun begin() {
        AutomaticDelivery.watchesNetwork = true
        // First report what is known, so that the first attempt knows the network.
        compass.setConnectivity(monitor.connectivity.value)
        reporting = CoroutineScope(Dispatchers.Default).launch {
            guarded("the network cannot be reported") { monitor.connectivity.collect { compass.setConnectivity(it) } }
        }
        compass.startDelivery()
        // If the file cannot be read now, the changes of another process can wait, but due messages cannot.
        guarded("the changes of another process are not known") { compass.refresh() }
    }

    suspend fun leave() {
        // Waits for its end, so that its report does not come after the one below.
        reporting?.cancelAndJoin()
        monitor.close()
        AutomaticDelivery.watchesNetwork = false
        guarded("the foreground cannot be left") {
            try {
                compass.setConnectivity(Connectivity.Unknown)
                compass.stopDelivery()
                // The plan depends on the network, which may have changed after the outbox.
                scheduler.plan(compass)
            } finally {
                hold.release()
            }
        }
    }

    companion object {
        suspend fun enter(application: Application, compass: Compass, scheduler: FlushScheduler): Foreground {
            val foreground = Foreground(compass, compass.resume(), ConnectivityMonitor(application), scheduler)
            try {
                foreground.begin()
            } catch (error: Exception) {
                foreground.leave()
                throw error
            }
            return foreground
        }
    }
}

/** Counts visible activities. Called on the main thread. */
internal class Visibility(private val report: (Boolean) -> Unit) : Application.ActivityLifecycleCallbacks {
    private var started = 0

    override fun onActivityStarted(activity: Activity) {
        started += 1
        report(true)
    }

    override fun onActivityStopped(activity: Activity) {
        // It would be below zero if it was started when an activity was already visible.
        started = (started - 1).coerceAtLeast(0)
        if (started == 0 && !activity.isChangingConfigurations) report(false)
    }

    override fun onActivityCreated(activity: Activity, state: Bundle?) = Unit
    override fun onActivityResumed(activity: Activity) = Unit
    override fun onActivityPaused(activity: Activity) = Unit
    override fun onActivitySaveInstanceState(activity: Activity, state: Bundle) = Unit
    override fun onActivityDestroyed(activity: Activity) = Unit
}

/** An error in our background work must not end the app's process. */
internal suspend fun guarded(what: String, work: suspend () -> Unit) {
    try {
        work()
    } catch (cancelled: CancellationException) {
        throw cancelled
    } catch (error: Exception) {
        // A handle that was closed meanwhile has nothing more to deliver, to plan or to release.
        if ((error as? CompassException)?.code != ErrorCode.CLOSED) Log.warn(what, error)
    }
}
