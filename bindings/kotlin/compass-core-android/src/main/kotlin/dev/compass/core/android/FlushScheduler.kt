package dev.compass.core.android

import android.Manifest
import android.app.job.JobInfo
import android.app.job.JobScheduler
import android.content.ComponentName
import android.content.Context
import android.content.pm.PackageManager
import android.os.PersistableBundle
import dev.compass.core.Compass
import dev.compass.core.model.NetworkNeed
import dev.compass.core.model.NextDue
import java.time.Duration
import java.time.Instant
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * Keeps the one job of a handle planned: at most one waits, for the earliest moment at which messages are due.
 *
 * A waiting job is replaced only by an earlier one, so that a busy outbox does not move it later for ever. A running job is not replaced,
 * because scheduling its id would end it. It plans the next one itself.
 */
internal class FlushScheduler(
    private val context: Context,
    private val jobId: Int,
    private val now: () -> Instant = Instant::now,
) {
    private val scheduler =
        LaterApis.own(checkNotNull(context.getSystemService(JobScheduler::class.java)) { "every Android has it" }, NAMESPACE)
    private val service = ComponentName(context, FlushJobService::class.java)

    /** Plans the job for messages that are due or will be. */
    suspend fun plan(compass: Compass): Unit = planning.withLock {
        // `nextDue` is called under the lock, so that the last of two plans has the newest state.
        if (jobId !in running) plan(compass.nextDue())
    }

    internal fun plan(due: NextDue) {
        val plan = planOf(due)
        val waiting = scheduler.getPendingJob(jobId)
        when {
            plan == null -> cancel()
            waiting == null || waiting.isForeign || plan.isEarlierThan(waiting) -> schedule(plan)
        }
    }

    /** Nothing is to be delivered any more: cancels the waiting job. */
    suspend fun cancelJob(): Unit = planning.withLock { cancel() }

    private fun cancel() {
        if (jobId !in running && scheduler.getPendingJob(jobId)?.isForeign == false) scheduler.cancel(jobId)
    }

    private val JobInfo.isForeign get() = service != this@FlushScheduler.service

    /** Plans the next job after a finished one, and replaces what Android keeps of the finished one. */
    suspend fun planNext(compass: Compass): Unit = planning.withLock {
        planOf(compass.nextDue())?.let(::schedule)
    }

    fun planOf(due: NextDue): JobPlan? = JobPlan.of(due, now(), CompassAndroid.connectivity(context, null))

    /** Whether the network that a plan needs is already available. */
    fun hasNetworkOf(plan: JobPlan): Boolean = CompassAndroid.connectivity(context, null).meets(plan.network)

    private fun schedule(plan: JobPlan) {
        // Our job would replace a job of another library.
        if (scheduler.getPendingJob(jobId)?.isForeign == true) return Log.warn("the job number $jobId is in use; give AutomaticDelivery another one")
        val wait = Duration.between(now(), plan.at).toMillis().coerceAtLeast(0)
        val job = JobInfo.Builder(jobId, service)
            .setMinimumLatency(wait)
            .setRequiredNetworkType(plan.network.type)
            .setBackoffCriteria(BACKOFF_MILLIS, JobInfo.BACKOFF_POLICY_EXPONENTIAL)
            .setPersisted(mayPersist())
            .setExtras(plan.toBundle())
        plan.atLatest?.let { job.setOverrideDeadline(Duration.between(now(), it).toMillis().coerceAtLeast(wait)) }
        if (scheduler.schedule(job.build()) != JobScheduler.RESULT_SUCCESS) Log.warn("Android refused the job")
    }

    private fun mayPersist() =
        context.checkSelfPermission(Manifest.permission.RECEIVE_BOOT_COMPLETED) == PackageManager.PERMISSION_GRANTED

    private fun JobPlan.toBundle() = PersistableBundle().apply {
        putLong(AT, at.toEpochMilli())
        putLong(AT_ON_ANY, onAny?.toEpochMilli() ?: Long.MAX_VALUE)
    }

    /** Or equally early when the waiting job needs a better network. */
    private fun JobPlan.isEarlierThan(waiting: JobInfo): Boolean =
        at.toEpochMilli() < waiting.extras.getLong(AT) || (onAny?.toEpochMilli() ?: Long.MAX_VALUE) < waiting.extras.getLong(AT_ON_ANY)

    internal companion object {
        /** Android's own default, named because the time between attempts depends on it. It doubles, up to five hours. */
        const val BACKOFF_MILLIS = 30_000L

        /** The namespace of this library's jobs, in Android versions that have namespaces. */
        const val NAMESPACE = "dev.compass.core"

        private const val AT = "at"
        private const val AT_ON_ANY = "at_on_any"

        private val planning = Mutex()

        private val running: MutableSet<Int> = ConcurrentHashMap.newKeySet()

        /** From `onStartJob` until the end has been reported to Android. */
        fun started(jobId: Int) {
            running += jobId
        }

        fun ended(jobId: Int) {
            running -= jobId
        }

        private val NetworkNeed.type: Int
            get() = when (this) {
                NetworkNeed.ANY -> JobInfo.NETWORK_TYPE_ANY
                NetworkNeed.UNMETERED -> JobInfo.NETWORK_TYPE_UNMETERED
            }
    }
}
