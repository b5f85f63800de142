package dev.compass.core.android

import android.app.job.JobParameters
import android.app.job.JobService
import android.os.Handler
import android.os.Looper
import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.model.FlushReport
import java.time.Duration
import java.time.Instant
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/**
 * Delivers in the background when Android starts its job. It is in the manifest of this library, and [AutomaticDelivery] plans it. It gets
 * the handle from the app's `Application` ([CompassHost]), so it also works in a process that was started only for the job.
 *
 * When Android stops the job (its network is gone, its time is up), delivery is cancelled, messages whose attempt did not begin are
 * released, and Android tries again later. When the job is done it plans the next one. An app has nothing to call here:
 *
 * ```kotlin
 * AutomaticDelivery.start(application)
 * ```
 */
public class FlushJobService : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val main = Handler(Looper.getMainLooper())

    // Only for the main thread, like all code that uses it.
    private var running: Run? = null

    private class Run(val parameters: JobParameters, val work: Job)

    override fun onStartJob(parameters: JobParameters): Boolean {
        val host = application as? CompassHost
        if (host == null) {
            Log.warn("the Application is not a CompassHost: a job has nothing to deliver")
            return false
        }
        FlushScheduler.started(parameters.jobId)
        val work = scope.launch {
            try {
                val compass = host.compass().ofNow()
                val report = CompassAndroid.flush(this@FlushJobService, compass, LaterApis.network(parameters))
                Log.info("a job delivered ${report.sent}, ${report.pending} wait")
                finish(parameters, compass, report)
            } catch (stopped: CancellationException) {
                throw stopped
            } catch (error: Exception) {
                Log.warn("a job failed", error)
                // A handle that was closed meanwhile has nothing more to deliver.
                main.post { reportEnd(parameters, again = (error as? CompassException)?.code != ErrorCode.CLOSED) }
            }
        }
        running = Run(parameters, work)
        return true
    }

    override fun onStopJob(parameters: JobParameters): Boolean {
        Log.info("a job was stopped, reason ${LaterApis.stopReason(parameters)}")
        running?.work?.cancel()
        running = null
        FlushScheduler.ended(parameters.jobId)
        return true
    }

    // Android calls it from API 34 on; without this method Android would stop the job.
    override fun onNetworkChanged(parameters: JobParameters) {
        JobNetwork.moved(LaterApis.network(parameters))
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    private suspend fun finish(parameters: JobParameters, compass: Compass, report: FlushReport) {
        val scheduler = FlushScheduler(applicationContext, parameters.jobId)
        val next = scheduler.planOf(compass.nextDue())
        // This job sent nothing, and the next would begin at once, on the same network. Then Android's doubling pauses must apply.
        val again = next != null && report.sent == 0 && next.at < Instant.now() + PAUSE && scheduler.hasNetworkOf(next)
        main.post {
            // With messages left, Android keeps the job, so that nothing is lost if the process dies before the next one is planned.
            reportEnd(parameters, again = next != null)
            // `jobFinished` only posts to this thread. A job that is scheduled before that is handled would end this one.
            if (!again) main.post { afterwards { scheduler.planNext(compass) } }
        }
    }

    // Not in the scope of the service, which ends with the job.
    private fun afterwards(work: suspend () -> Unit) {
        CoroutineScope(Dispatchers.Default).launch { guarded("the next job cannot be planned", work) }
    }

    private fun reportEnd(parameters: JobParameters, again: Boolean) {
        // Android has stopped it meanwhile, and needs no report.
        if (running?.parameters !== parameters) return
        running = null
        FlushScheduler.ended(parameters.jobId)
        jobFinished(parameters, again)
    }

    private companion object {
        /** Android's own first pause. */
        val PAUSE: Duration = Duration.ofMillis(FlushScheduler.BACKOFF_MILLIS)
    }
}
