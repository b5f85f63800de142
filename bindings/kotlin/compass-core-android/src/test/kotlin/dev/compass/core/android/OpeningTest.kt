package dev.compass.core.android

import android.content.ContextWrapper
import android.os.Handler
import android.os.Looper
import android.os.StrictMode
import android.provider.Settings
import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.CompassOptions
import dev.compass.core.ErrorCode
import dev.compass.core.testing.WebhookSink
import java.io.File
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** Where the database is, and which threads may wait for it. */
class OpeningTest : OnAPhone() {
    @Test
    fun `the database is in a folder that is in no backup`() {
        wait { app.compass().totals() }
        val file = CompassAndroid.databaseFile(app)
        assertEquals(File(app.noBackupFilesDir, "compass/compass.db"), file)
        assertTrue(file.exists())
        assertFalse(File(app.filesDir, "compass").exists())
        assertTrue(app.databaseList().isEmpty())
    }

    @Test
    fun `a database that comes to another phone goes on in a new series`() {
        val office = WebhookSink().closing()
        for (phone in listOf("9774d56d682e549c", "9774d56d682e549c", "a1b2c3d4e5f60718")) {
            wait { app.dies() }
            Settings.Secure.putString(app.contentResolver, Settings.Secure.ANDROID_ID, phone)
            val compass = ready(office.url)
            compass.completed()
            assertEquals(1, wait { compass.flush(10.seconds) }.sent)
        }
        assertEquals(listOf("1", "2", "1"), office.received.map { it.headers.getValue("compass-sequence").substringAfter("-") })
    }

    @Test
    fun `a session is there after the process has died`() {
        val session = ready().completed()
        wait { app.dies() }
        assertEquals(session, wait { app.compass().session(session) }.key)
    }

    @Test
    fun `opening twice is refused, but using the one handle twice is not`() {
        wait { app.compass().totals() }
        wait { app.compass().totals() }
        val refused = assertThrows(CompassException::class.java) { wait { CompassAndroid.open(app) } }
        assertEquals(ErrorCode.ALREADY_OPEN, refused.code)
    }

    @Test
    fun `a call made while the handle is closed waits, and gets the database that is there then`() {
        val compass = ready()
        val erased = CompletableDeferred<Unit>()
        val began = CompletableDeferred<Unit>()
        val asked = CoroutineScope(Dispatchers.Default)
        val closed = asked.async {
            app.lazy.whileClosed {
                Compass.erase(CompassAndroid.databaseFile(app).path)
                began.complete(Unit)
                erased.await()
            }
        }
        wait { began.await() }
        val next = asked.async { compass.workflows() }
        assertFalse(next.isCompleted)
        erased.complete(Unit)
        wait { closed.await() }
        assertEquals(emptyList<Any>(), wait { next.await() })
    }

    @Test
    fun `a handle whose options name another file erases that file`() {
        ready()
        val another = CompassAndroid.lazy(app) { path, transport -> CompassOptions(File(path).resolveSibling("lee.db").path, transport = transport) }
        wait { another.setIntegrationEnabled(true) }
        wait { another.erase() }
        assertFalse(wait { another.integrationEnabled() })
        assertTrue(wait { app.compass().integrationEnabled() })
        wait { another.shutDown() }
    }

    @Test
    fun `a main thread that blocks for the handle gets it, although a coroutine of its own is opening it`() {
        val gate = CompletableDeferred<Unit>()
        val lazy = Compass.lazy({ CompassAndroid.databaseFile(app).path }) {
            gate.await()
            app.lazy.opened()
        }
        mainThread.launch(start = CoroutineStart.UNDISPATCHED) { lazy.totals() }
        assertNotNull(blocking(onceItWaits = { gate.complete(Unit) }) { lazy.totals() })
    }

    @Test
    fun `a main thread that blocks for the handle gets it, although a coroutine of its own has closed it`() {
        val compass = wait { app.compass() }
        wait { compass.totals() }
        val closed = CompletableDeferred<Unit>()
        val gate = CompletableDeferred<Unit>()
        mainThread.launch(start = CoroutineStart.UNDISPATCHED) {
            app.lazy.whileClosed {
                closed.complete(Unit)
                gate.await()
            }
        }
        wait { closed.await() }
        assertNotNull(blocking(onceItWaits = { gate.complete(Unit) }) { compass.totals() })
    }

    private val mainThread = CoroutineScope(Executor { Handler(Looper.getMainLooper()).post(it) }.asCoroutineDispatcher())

    /** Work that is posted to this thread, the main thread, does not run meanwhile. Null when it would wait for ever. */
    private fun <T> blocking(onceItWaits: () -> Unit, work: suspend () -> T): T? = runBlocking {
        val result = async(start = CoroutineStart.UNDISPATCHED) { work() }
        onceItWaits()
        withTimeoutOrNull(LIMIT) { result.await() }.also { result.cancel() }
    }

    @Test
    fun `an error while the handle is closed is thrown, and the database opens again unchanged`() {
        val session = ready().completed()
        val refused = assertThrows(CompassException::class.java) {
            wait { app.lazy.whileClosed { Compass.erase(CompassAndroid.databaseFile(app).path) } }
        }
        assertEquals(ErrorCode.UNDELIVERED, refused.code)
        assertEquals(session, wait { app.compass().session(session) }.key)
    }

    @Test
    fun `the main thread waits for nothing while the database is opened`() {
        val gate = CountDownLatch(1)
        val slow = Executors.newSingleThreadExecutor()
        slow.execute { gate.await() }
        val askedOn = ConcurrentLinkedQueue<Thread>()
        val context = object : ContextWrapper(app) {
            override fun getNoBackupFilesDir(): File = super.getNoBackupFilesDir().also { askedOn += Thread.currentThread() }
        }
        var compass: Compass? = null
        // On the main thread, up to the first suspension.
        CoroutineScope(Dispatchers.Unconfined).launch {
            compass = CompassAndroid.open(context) { path, transport ->
                CompassOptions(path, transport = transport, commandDispatcher = slow.asCoroutineDispatcher())
            }
        }
        // The opening cannot go on, but the main thread has come here.
        assertEquals(null, compass)
        gate.countDown()
        until("the handle") { compass != null }
        assertTrue(askedOn.isNotEmpty())
        assertFalse(Looper.getMainLooper().thread in askedOn)
        wait { compass!!.shutDown() }
        slow.shutdown()
    }

    @Test
    fun `StrictMode finds nothing on the main thread in a whole session with delivery`() {
        networks.network()
        val found = ConcurrentLinkedQueue<String>()
        val direct = java.util.concurrent.Executor { it.run() }
        val before = StrictMode.getThreadPolicy()
        StrictMode.setThreadPolicy(
            StrictMode.ThreadPolicy.Builder().detectAll().penaltyListener(direct) { found += it.toString() }.build(),
        )
        try {
            val office = WebhookSink().closing()
            val compass = ready(office.url)
            deliverAutomatically()
            org.robolectric.Robolectric.buildActivity(Screen::class.java).setup()
            compass.completed()
            until("the webhook") { office.received.isNotEmpty() }
            assertEquals(emptyList<String>(), found.toList())
            // It is active: it finds this.
            StrictMode.noteSlowCall("looked for")
            until("the finding") { found.isNotEmpty() }
        } finally {
            StrictMode.setThreadPolicy(before)
        }
    }

    private companion object {
        val LIMIT = 30.seconds
    }
}
