package dev.compass.core.android

import android.Manifest
import android.app.Application
import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.content.ComponentName
import android.net.Network
import android.os.Bundle
import android.os.PersistableBundle
import android.util.Log as AndroidLog
import dev.compass.core.held
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.NetworkPolicy
import dev.compass.core.testing.SinkAnswer
import dev.compass.core.testing.WebhookSink
import java.net.URL
import java.net.URLConnection
import java.time.Instant
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ServiceController
import org.robolectric.annotation.Config
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowLog
import org.robolectric.shadows.ShadowNetwork

/** The job that delivers in the background. Robolectric does not start jobs: the tests do it like Android. */
class JobTest : OnAPhone() {
    private val shared get() = RuntimeEnvironment.getApplication().getSystemService(JobScheduler::class.java)!!
    private val scheduler get() = LaterApis.own(shared, FlushScheduler.NAMESPACE)
    private val planned: JobInfo? get() = scheduler.getPendingJob(JOB)

    private fun service(): ServiceController<FlushJobService> = Robolectric.buildService(FlushJobService::class.java).create()

    private fun parameters(network: Network? = null) =
        JobParameters(null, null, JOB, PersistableBundle(), Bundle(), null, 0, false, false, false, null, null, network)

    private val FlushJobService.isFinished get() = shadowOf(this).isJobFinished

    /** Android runs the job, from its start to its end. */
    private fun runJob(network: Network? = null): FlushJobService = service().get().also { job ->
        // By default Android removes a job from its list when it starts it.
        scheduler.cancel(JOB)
        assertTrue(job.onStartJob(parameters(network)))
        until("the job to end") { job.isFinished }
    }

    @Test
    fun `a session completed without signal plans a job for the moment there is a network`() {
        networks.none()
        val compass = ready()
        deliverAutomatically()
        compass.completed()
        until("a job") { planned != null }
        val job = planned!!
        assertEquals(ComponentName(app, FlushJobService::class.java), job.service)
        assertEquals(JobInfo.NETWORK_TYPE_ANY, job.networkType)
        assertEquals(0, job.minLatencyMillis)
        assertEquals(JobInfo.BACKOFF_POLICY_EXPONENTIAL, job.backoffPolicy)
        assertEquals(30_000, job.initialBackoffMillis)
    }

    @Test
    fun `the job stays after a restart of the phone if the app has the permission`() {
        networks.none()
        val compass = ready()
        deliverAutomatically()
        compass.completed()
        until("a job") { planned != null }
        assertFalse(planned!!.isPersisted)
        scheduler.cancel(JOB)
        shadowOf(app).grantPermissions(Manifest.permission.RECEIVE_BOOT_COMPLETED)
        compass.completed()
        until("another job") { planned != null }
        assertTrue(planned!!.isPersisted)
    }

    @Test
    fun `a message for unmetered networks plans a job that needs one`() {
        networks.network(metered = true)
        val compass = ready(network = NetworkPolicy.UNMETERED)
        deliverAutomatically()
        compass.completed()
        until("a job") { planned != null }
        assertEquals(JobInfo.NETWORK_TYPE_UNMETERED, planned!!.networkType)
    }

    @Test
    fun `with nothing to deliver no job is planned, and a waiting job is cancelled`() {
        networks.none()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        assertNull(planned)
        val session = compass.completed()
        until("a job") { planned != null }
        networks.network()
        wait { compass.flush() }
        assertEquals(ActionStatus.SENT, compass.action(session).status)
        until("the job to be cancelled") { planned == null }
    }

    @Test
    fun `the job waits for the pause of Retry-After, and is only ever moved earlier`() {
        networks.network()
        val office = WebhookSink { SinkAnswer(503, mapOf("retry-after" to "3600")) }.closing()
        val compass = ready(office.url)
        deliverAutomatically()
        compass.completed()
        wait { compass.flush() }
        val due = wait { compass.nextDue() }.at!!
        // The job that was planned for the first attempt does nothing any more: Android has run it.
        scheduler.cancel(JOB)
        FlushScheduler(app, JOB).plan(wait { compass.nextDue() })
        val left = due.toEpochMilli() - Instant.now().toEpochMilli()
        assertTrue("$left", planned!!.minLatencyMillis in (left - 1_000)..(left + 60_000))
        assertTrue("$left", left > 3_500_000)

        // A later moment does not change it.
        val waiting = planned
        FlushScheduler(app, JOB).plan(wait { compass.nextDue() }.copy(at = due.plusSeconds(60)))
        assertEquals(waiting, planned)
        FlushScheduler(app, JOB).plan(wait { compass.nextDue() }.copy(at = due.minusSeconds(60)))
        assertTrue(planned!!.minLatencyMillis < waiting!!.minLatencyMillis)
    }

    /** A job as of WorkManager, with the number of ours. */
    private fun foreign() = JobInfo.Builder(JOB, ComponentName(app, "androidx.work.impl.background.systemjob.SystemJobService"))
        .setMinimumLatency(60_000).build()

    @Test
    fun `another library's job under the same number stays, and ours is planned beside it`() {
        shared.schedule(foreign())
        networks.none()
        val compass = ready()
        wait { FlushScheduler(app, JOB).plan(compass) }
        assertEquals(foreign().service, shared.getPendingJob(JOB)!!.service)
        compass.completed()
        wait { FlushScheduler(app, JOB).plan(compass) }
        assertEquals(foreign().service, shared.getPendingJob(JOB)!!.service)
        assertEquals(ComponentName(app, FlushJobService::class.java), planned!!.service)
    }

    @Test
    fun `where job numbers are shared, another library's job is not replaced, and Logcat says why none is planned`() {
        // As before Android 14: all libraries share the job numbers.
        scheduler.schedule(foreign())
        networks.none()
        val compass = ready()
        wait { FlushScheduler(app, JOB).plan(compass) }
        compass.completed()
        wait { FlushScheduler(app, JOB).plan(compass) }
        wait { FlushScheduler(app, JOB).planNext(compass) }
        wait { FlushScheduler(app, JOB).cancelJob() }
        assertEquals(foreign().service, planned!!.service)
        assertTrue(ShadowLog.getLogsForTag("Compass").any { "$JOB" in it.msg })
    }

    @Test
    fun `when the handle is closed the job is cancelled, and none is planned or logged until the app uses it again`() {
        networks.none()
        val compass = ready()
        deliverAutomatically()
        compass.completed()
        until("a job") { planned != null }
        wait { app.compass().shutDown() }
        until("the job to be cancelled") { planned == null }
        // At this moment it would plan again.
        Robolectric.buildActivity(Screen::class.java).setup()
        repeat(3) { until("the main thread to be idle") { true } }
        assertNull(app.lazy.current.value)
        assertNull(planned)
        wait { app.compass().totals() }
        until("a job") { planned != null }
        assertEquals(emptyList<String>(), ShadowLog.getLogsForTag("Compass").filter { it.type >= AndroidLog.WARN }.map { it.msg })
    }

    @Test
    fun `ended delivery cancels its job`() {
        networks.none()
        val compass = ready()
        val delivery = deliverAutomatically()
        compass.completed()
        until("a job") { planned != null }
        wait { delivery.end() }
        assertNull(planned)
    }

    @Test
    fun `a job whose handle is closed meanwhile is not tried again`() {
        val answered = CountDownLatch(1)
        val office = WebhookSink {
            answered.await()
            SinkAnswer(202)
        }.closing()
        val compass = ready(office.url)
        networks.network()
        compass.completed()
        val job = service().get()
        job.onStartJob(parameters())
        until("the attempt") { office.received.isNotEmpty() }
        wait { compass.shutDown() }
        answered.countDown()
        until("the job to end") { job.isFinished }
        assertFalse(shadowOf(job).isRescheduleNeeded)
        assertNull(app.lazy.current.value)
    }

    @Test
    fun `in a process started only for the job it opens the database, delivers and is done`() {
        val office = WebhookSink().closing()
        val session = ready(office.url).completed()
        wait { app.dies() }
        networks.network()

        val job = runJob()

        assertFalse(shadowOf(job).isRescheduleNeeded)
        assertTrue(office.await().isSignedWith(SECRET))
        assertEquals(ActionStatus.SENT, wait { app.compass() }.action(session).status)
        assertNull(planned)
    }

    @Test
    fun `a job that leaves messages plans the next one after it has reported its end to Android`() {
        val office = WebhookSink { SinkAnswer(503, mapOf("retry-after" to "3600")) }.closing()
        ready(office.url).completed()
        wait { app.dies() }
        networks.network()

        val job = runJob()

        // Android keeps the job until the next one is planned: the process may die in between.
        assertTrue(shadowOf(job).isRescheduleNeeded)
        until("the next job") { planned != null }
        assertTrue(planned!!.minLatencyMillis > 3_000_000)
    }

    @Test
    fun `while the job runs no job with its id is scheduled`() {
        val answered = CountDownLatch(1)
        val office = WebhookSink {
            answered.await()
            SinkAnswer(202)
        }.closing()
        val compass = ready(office.url)
        networks.network()
        compass.completed()
        deliverAutomatically()
        until("a job") { planned != null }
        scheduler.cancel(JOB)
        val job = service().get()
        job.onStartJob(parameters())
        until("the attempt") { office.received.isNotEmpty() }
        compass.completed()
        wait { FlushScheduler(app, JOB).plan(compass) }
        assertNull(planned)
        assertFalse(job.isFinished)
        answered.countDown()
        until("the job to end") { job.isFinished }
    }

    @Test
    fun `a stopped job cancels its attempt, is tried again, and the message arrives once`() {
        val answered = CountDownLatch(1)
        val asked = AtomicInteger()
        val office = WebhookSink {
            if (asked.getAndIncrement() == 0) answered.await()
            SinkAnswer(202)
        }.closing()
        val compass = ready(office.url)
        val session = compass.completed()
        networks.network()
        val job = service().get()
        job.onStartJob(parameters())
        until("the attempt") { office.received.isNotEmpty() }

        assertTrue(job.onStopJob(parameters()))

        // Held, because a result that comes after the job has released its hold is stored at the next hold.
        until("the attempt to be cancelled") {
            wait { compass.held { record(session) } }.actions.single().deliveries.single().lastAttempts.any { it.outcome == "interrupted" }
        }
        assertFalse(compass.action(session).deliveries.single().lastAttempts.single().counted)
        assertTrue(compass.action(session).deliveries.single().mayHaveBeenDelivered)
        assertFalse("an end that Android caused is not reported to it", job.isFinished)
        answered.countDown()

        runJob()

        assertEquals(ActionStatus.SENT, compass.action(session).status)
        assertEquals(1, office.received.map { it.id }.toSet().size)
    }

    @Test
    fun `a job that cannot open the database is tried again`() {
        CompassAndroid.databaseFile(app).apply { parentFile!!.mkdirs() }.writeText("this is not a database, and it is long enough to be read as one")
        networks.network()
        val job = runJob()
        assertTrue(shadowOf(job).isRescheduleNeeded)
        CompassAndroid.databaseFile(app).delete()
    }

    @Test
    fun `a job on a metered network does not send messages for unmetered networks`() {
        val office = WebhookSink().closing()
        val session = ready(office.url, NetworkPolicy.UNMETERED).completed()
        wait { app.dies() }
        networks.network(metered = true)
        runJob()
        assertTrue(office.received.isEmpty())
        until("a job for a better network") { planned != null }
        assertEquals(JobInfo.NETWORK_TYPE_UNMETERED, planned!!.networkType)
        assertEquals(0, wait { app.compass() }.action(session).deliveries.single().attempts)
    }

    @Test
    fun `the network of the job counts, not the default one`() {
        val office = WebhookSink().closing()
        ready(office.url, NetworkPolicy.UNMETERED).completed()
        wait { app.dies() }
        networks.network(metered = false)
        runJob(networks.another(metered = true))
        assertTrue(office.received.isEmpty())
    }

    @Test
    @Config(shadows = [NetworkThatCounts::class])
    fun `a job sends through its own network, and later flushes do not`() {
        val office = WebhookSink().closing()
        val session = ready(office.url).completed()
        wait { app.dies() }
        val given = networks.another()

        runJob(given)

        assertEquals(ActionStatus.SENT, wait { app.compass() }.action(session).status)
        assertEquals(listOf(office.url), Shadow.extract<NetworkThatCounts>(given).opened)
        assertNull(JobNetwork.current)
        wait { app.compass() }.completed()
        wait { app.compass().held { flush() } }
        assertEquals(2, office.received.size)
        assertEquals(1, Shadow.extract<NetworkThatCounts>(given).opened.size)
    }

    @Test
    fun `after a job that sends nothing Android makes the pauses`() {
        // Nothing answers, on a network that is not validated.
        ready("http://127.0.0.1:1/hooks").completed()
        wait { app.dies() }
        networks.network(validated = false)
        val job = runJob()
        assertTrue(shadowOf(job).isRescheduleNeeded)
        repeat(3) { until("the main thread to be idle") { true } }
        assertNull(planned)
    }

    @Test
    @Config(application = Application::class)
    fun `without a host there is nothing to do`() {
        assertFalse(service().get().onStartJob(parameters()))
        assertNotNull(scheduler)
    }
}

/** A network that opens connections as the JVM does: Android's own works only on phones. */
@Implements(Network::class)
class NetworkThatCounts : ShadowNetwork() {
    val opened = CopyOnWriteArrayList<String>()

    @Implementation
    fun openConnection(url: URL): URLConnection {
        opened += url.toString()
        return url.openConnection()
    }
}
