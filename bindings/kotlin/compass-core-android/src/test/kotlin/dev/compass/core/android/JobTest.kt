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

/** The job that delivers in the background. Robolectric starts no job by itself: the tests do what Android would. */
class JobTest : OnAPhone() {
    private val everybodys get() = RuntimeEnvironment.getApplication().getSystemService(JobScheduler::class.java)!!
    private val scheduler get() = LaterApis.own(everybodys, FlushScheduler.NAMESPACE)
    private val planned: JobInfo? get() = scheduler.getPendingJob(JOB)

    private fun service(): ServiceController<FlushJobService> = Robolectric.buildService(FlushJobService::class.java).create()

    private fun parameters(network: Network? = null) =
        JobParameters(null, null, JOB, PersistableBundle(), Bundle(), null, 0, false, false, false, null, null, network)

    private val FlushJobService.isFinished get() = shadowOf(this).isJobFinished

    /** Android runs the job, from its start to its end. */
    private fun runJob(network: Network? = null): FlushJobService = service().get().also { job ->
        // Android takes a job that it starts off its list, unless told otherwise.
        scheduler.cancel(JOB)
        assertTrue(job.onStartJob(parameters(network)))
        until("the job to end") { job.isFinished }
    }

    @Test
    fun `a session completed without signal plans a job for the moment there is a network`() {
        air.none()
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
    fun `the job outlives a restart of the phone where the app may have that`() {
        air.none()
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
        air.network(metered = true)
        val compass = ready(network = NetworkPolicy.UNMETERED)
        deliverAutomatically()
        compass.completed()
        until("a job") { planned != null }
        assertEquals(JobInfo.NETWORK_TYPE_UNMETERED, planned!!.networkType)
    }

    @Test
    fun `nothing to deliver plans no job, and takes back the one that waits`() {
        air.none()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        deliverAutomatically()
        assertNull(planned)
        val session = compass.completed()
        until("a job") { planned != null }
        air.network()
        wait { compass.flush() }
        assertEquals(ActionStatus.SENT, compass.action(session).status)
        until("the job to be taken back") { planned == null }
    }

    @Test
    fun `a receiver that asks for patience gets the job when it said, and a nearer moment only moves it earlier`() {
        air.network()
        val office = WebhookSink { SinkAnswer(503, mapOf("retry-after" to "3600")) }.closing()
        val compass = ready(office.url)
        deliverAutomatically()
        compass.completed()
        wait { compass.flush() }
        val due = wait { compass.nextDue() }.at!!
        // The one that was planned for the first try does nothing any more; Android has run it.
        scheduler.cancel(JOB)
        FlushScheduler(app, JOB).plan(wait { compass.nextDue() })
        val left = due.toEpochMilli() - Instant.now().toEpochMilli()
        assertTrue("$left", planned!!.minLatencyMillis in (left - 1_000)..(left + 60_000))
        assertTrue("$left", left > 3_500_000)

        // What is due later does not touch it.
        val patient = planned
        FlushScheduler(app, JOB).plan(wait { compass.nextDue() }.copy(at = due.plusSeconds(60)))
        assertEquals(patient, planned)
        FlushScheduler(app, JOB).plan(wait { compass.nextDue() }.copy(at = due.minusSeconds(60)))
        assertTrue(planned!!.minLatencyMillis < patient!!.minLatencyMillis)
    }

    /** Such as WorkManager's, under the number of ours. */
    private fun foreign() = JobInfo.Builder(JOB, ComponentName(app, "androidx.work.impl.background.systemjob.SystemJobService"))
        .setMinimumLatency(60_000).build()

    @Test
    fun `another library's job under the same number stays, and ours is planned beside it`() {
        everybodys.schedule(foreign())
        air.none()
        val compass = ready()
        wait { FlushScheduler(app, JOB).plan(compass) }
        assertEquals(foreign().service, everybodys.getPendingJob(JOB)!!.service)
        compass.completed()
        wait { FlushScheduler(app, JOB).plan(compass) }
        assertEquals(foreign().service, everybodys.getPendingJob(JOB)!!.service)
        assertEquals(ComponentName(app, FlushJobService::class.java), planned!!.service)
    }

    @Test
    fun `where numbers are everybody's, another library's job is not taken, and Logcat says why none is planned`() {
        // As before Android 14: what is there is in the same space as ours.
        scheduler.schedule(foreign())
        air.none()
        val compass = ready()
        wait { FlushScheduler(app, JOB).plan(compass) }
        compass.completed()
        wait { FlushScheduler(app, JOB).plan(compass) }
        wait { FlushScheduler(app, JOB).planNext(compass) }
        wait { FlushScheduler(app, JOB).takeBack() }
        assertEquals(foreign().service, planned!!.service)
        assertTrue(ShadowLog.getLogsForTag("Compass").any { "$JOB" in it.msg })
    }

    @Test
    fun `a handle that is closed takes the job back, plans none and says nothing, until the app uses it again`() {
        air.none()
        val compass = ready()
        deliverAutomatically()
        compass.completed()
        until("a job") { planned != null }
        wait { app.compass().shutDown() }
        until("the job to be taken back") { planned == null }
        // A moment at which it would ask again.
        Robolectric.buildActivity(Screen::class.java).setup()
        repeat(3) { until("the main thread to be idle") { true } }
        assertNull(app.lazy.current.value)
        assertNull(planned)
        wait { app.compass().totals() }
        until("a job") { planned != null }
        assertEquals(emptyList<String>(), ShadowLog.getLogsForTag("Compass").filter { it.type >= AndroidLog.WARN }.map { it.msg })
    }

    @Test
    fun `delivery that is ended takes its job back`() {
        air.none()
        val compass = ready()
        val delivery = deliverAutomatically()
        compass.completed()
        until("a job") { planned != null }
        wait { delivery.end() }
        assertNull(planned)
    }

    @Test
    fun `a job whose handle is closed meanwhile is not tried again`() {
        val said = CountDownLatch(1)
        val office = WebhookSink {
            said.await()
            SinkAnswer(202)
        }.closing()
        val compass = ready(office.url)
        air.network()
        compass.completed()
        val job = service().get()
        job.onStartJob(parameters())
        until("the attempt") { office.received.isNotEmpty() }
        wait { compass.shutDown() }
        said.countDown()
        until("the job to end") { job.isFinished }
        assertFalse(shadowOf(job).isRescheduleNeeded)
        assertNull(app.lazy.current.value)
    }

    @Test
    fun `in a process started for the job alone it opens the database, delivers and is done`() {
        val office = WebhookSink().closing()
        val session = ready(office.url).completed()
        wait { app.dies() }
        air.network()

        val job = runJob()

        assertFalse(shadowOf(job).isRescheduleNeeded)
        assertTrue(office.await().isSignedWith(SECRET))
        assertEquals(ActionStatus.SENT, wait { app.compass() }.action(session).status)
        assertNull(planned)
    }

    @Test
    fun `a job that leaves something behind plans the next one after it has told Android of its end`() {
        val office = WebhookSink { SinkAnswer(503, mapOf("retry-after" to "3600")) }.closing()
        ready(office.url).completed()
        wait { app.dies() }
        air.network()

        val job = runJob()

        // Kept by Android until the plan is in its place: the process may die in between.
        assertTrue(shadowOf(job).isRescheduleNeeded)
        until("the next job") { planned != null }
        assertTrue(planned!!.minLatencyMillis > 3_000_000)
    }

    @Test
    fun `while the job runs its id is left alone`() {
        val said = CountDownLatch(1)
        val office = WebhookSink {
            said.await()
            SinkAnswer(202)
        }.closing()
        val compass = ready(office.url)
        air.network()
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
        said.countDown()
        until("the job to end") { job.isFinished }
    }

    @Test
    fun `a stopped job gives up its attempt, is tried again, and the message arrives once`() {
        val said = CountDownLatch(1)
        val asked = AtomicInteger()
        val office = WebhookSink {
            if (asked.getAndIncrement() == 0) said.await()
            SinkAnswer(202)
        }.closing()
        val compass = ready(office.url)
        val session = compass.completed()
        air.network()
        val job = service().get()
        job.onStartJob(parameters())
        until("the attempt") { office.received.isNotEmpty() }

        assertTrue(job.onStopJob(parameters()))

        // Held, because a result that comes after the job has let go is written down when somebody holds again.
        until("the attempt to be given up") {
            wait { compass.held { record(session) } }.actions.single().deliveries.single().lastAttempts.any { it.outcome == "interrupted" }
        }
        assertFalse(compass.action(session).deliveries.single().lastAttempts.single().counted)
        assertTrue(compass.action(session).deliveries.single().mayHaveBeenDelivered)
        assertFalse("Android is not told of an end that it made itself", job.isFinished)
        said.countDown()

        runJob()

        assertEquals(ActionStatus.SENT, compass.action(session).status)
        assertEquals(1, office.received.map { it.id }.toSet().size)
    }

    @Test
    fun `a job that cannot open the database is tried again`() {
        CompassAndroid.databaseFile(app).apply { parentFile!!.mkdirs() }.writeText("this is no database, and it is long enough to be read as one")
        air.network()
        val job = runJob()
        assertTrue(shadowOf(job).isRescheduleNeeded)
        CompassAndroid.databaseFile(app).delete()
    }

    @Test
    fun `a job on a metered network leaves alone what must not cost`() {
        val office = WebhookSink().closing()
        val session = ready(office.url, NetworkPolicy.UNMETERED).completed()
        wait { app.dies() }
        air.network(metered = true)
        runJob()
        assertTrue(office.received.isEmpty())
        until("a job for a better network") { planned != null }
        assertEquals(JobInfo.NETWORK_TYPE_UNMETERED, planned!!.networkType)
        assertEquals(0, wait { app.compass() }.action(session).deliveries.single().attempts)
    }

    @Test
    fun `the network that the job was given counts, not the default one`() {
        val office = WebhookSink().closing()
        ready(office.url, NetworkPolicy.UNMETERED).completed()
        wait { app.dies() }
        air.network(metered = false)
        runJob(air.another(metered = true))
        assertTrue(office.received.isEmpty())
    }

    @Test
    @Config(shadows = [NetworkThatCounts::class])
    fun `a job sends through the network that it was given, and what comes after it does not`() {
        val office = WebhookSink().closing()
        val session = ready(office.url).completed()
        wait { app.dies() }
        val given = air.another()

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
    fun `a job that gets nowhere leaves the pauses to Android`() {
        // Nothing answers, on a network that leads nowhere.
        ready("http://127.0.0.1:1/hooks").completed()
        wait { app.dies() }
        air.network(validated = false)
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

/** A network that opens connections as the JVM does: what Android's own need is on phones alone. */
@Implements(Network::class)
class NetworkThatCounts : ShadowNetwork() {
    val opened = CopyOnWriteArrayList<String>()

    @Implementation
    fun openConnection(url: URL): URLConnection {
        opened += url.toString()
        return url.openConnection()
    }
}
