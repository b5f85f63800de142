package dev.compass.core

import dev.compass.core.model.FieldValue
import dev.compass.core.model.FlushEnd
import dev.compass.core.model.SecretLookup
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.Semaphore
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.coroutines.CoroutineContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class LifeTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a second open of one file is refused, also by another path to it`() = test {
        val options = folder.options(name = "same.db")
        Compass.open(options).use {
            assertCode(ErrorCode.ALREADY_OPEN) { Compass.open(options) }
            val link = Files.createSymbolicLink(folder.resolve("link"), folder)
            assertCode(ErrorCode.ALREADY_OPEN) { Compass.open(link.options(name = "same.db")) }
        }
        Compass.open(options).close()
    }

    @Test
    fun `opening and commands leave the thread of the caller free`() = test {
        val main = Executors.newSingleThreadExecutor { Thread(it, "main-like") }.asCoroutineDispatcher()
        val gate = CountDownLatch(1)
        val threads = mutableSetOf<String>()
        val work = Executors.newSingleThreadExecutor { Thread(it, "work") }.asCoroutineDispatcher()
        // Work begins only when the main thread has done something else: on the main thread itself it would never begin.
        val gated = object : CoroutineDispatcher() {
            override fun dispatch(context: CoroutineContext, block: Runnable) = work.dispatch(context) {
                gate.await()
                threads += Thread.currentThread().name
                block.run()
            }
        }
        withContext(main) {
            val opening = async(start = CoroutineStart.UNDISPATCHED) {
                Compass.open(CompassOptions(folder.resolve("c.db").toString(), commandDispatcher = gated, deliveryDispatcher = gated))
            }
            launch { gate.countDown() }
            val compass = opening.await()
            compass.importWorkflow(PUMP_CHECK.toByteArray())
            compass.flush()
            compass.shutDown()
        }
        assertEquals(setOf("work"), threads)
        main.close()
        work.close()
    }

    /** Works on one thread as far as it is allowed, and counts each finished piece of work. */
    private class Counting : CoroutineDispatcher() {
        private val work = Executors.newSingleThreadExecutor { Thread(it).apply { isDaemon = true } }
        private val permits = Semaphore(Int.MAX_VALUE)
        private val done = LinkedBlockingQueue<Unit>()

        override fun dispatch(context: CoroutineContext, block: Runnable) = work.execute {
            permits.acquire()
            block.run()
            done += Unit
        }

        /** [call] has suspended when the work begins, and cannot take the result: this is the thread of its caller. */
        fun <T> done(call: () -> T): T {
            // On that one thread, so that earlier work is counted before.
            work.submit { done.clear() }.get()
            permits.drainPermits()
            val calling = call()
            permits.release(1)
            done.take()
            permits.release(Int.MAX_VALUE - 1)
            return calling
        }
    }

    @Test
    fun `a command that has begun is committed although its caller is cancelled`() = test {
        val plain = folder.options()
        val session = folder.ready(plain).use { it.start("pump-check").view.key }
        val counting = Counting()
        Compass.open(CompassOptions(plain.path, commandDispatcher = counting)).use { compass ->
            val noting = counting.done { async(start = CoroutineStart.UNDISPATCHED) { compass.note(session, "Kept") } }
            noting.cancel()
            assertTrue(runCatching { noting.await() }.exceptionOrNull() is CancellationException)
            assertEquals(listOf("Kept"), compass.session(session).notes.map { it.text })
        }
    }

    @Test
    fun `opening or holding for a cancelled caller leaves nothing open and nothing held`() = test {
        val counting = Counting()
        val options = CompassOptions(folder.resolve("gone.db").toString(), commandDispatcher = counting)
        counting.done { async(start = CoroutineStart.UNDISPATCHED) { Compass.open(options) } }.cancelAndJoin()
        val compass = Compass.open(options)

        counting.done { async(start = CoroutineStart.UNDISPATCHED) { compass.resume() } }.cancelAndJoin()
        assertEquals(FlushEnd.QUIESCED, compass.flush().end)
        compass.close()
    }

    @Test
    fun `a cancelled caller still closes and releases`() = test {
        val options = folder.options()
        val compass = folder.ready(options)
        val hold = compass.resume()
        launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                awaitCancellation()
            } finally {
                hold.release()
                assertEquals(FlushEnd.QUIESCED, withContext(NonCancellable) { compass.flush().end })
                compass.shutDown()
            }
        }.cancelAndJoin()
        Compass.open(options).close()
    }

    @Test
    fun `ending delivery does not wait for delivery`() = test {
        val single = Executors.newSingleThreadExecutor().asCoroutineDispatcher()
        val begun = CountDownLatch(1)
        val cancelled = CountDownLatch(1)
        val waiting = object : Transport {
            override fun send(request: TransportRequest): TransportOutcome {
                begun.countDown()
                cancelled.await()
                return TransportOutcome.Answered(TransportResponse(202))
            }

            override fun cancel(id: Long) = cancelled.countDown()
        }
        val options = CompassOptions(folder.resolve("one.db").toString(), secrets, waiting, deliveryDispatcher = single)
        folder.ready(options).use { compass ->
            compass.completed()
            val flushing = async(Dispatchers.Default) { compass.flush(60.seconds).end }
            withContext(Dispatchers.IO) { begun.await() }
            compass.quiesce()
            assertEquals(FlushEnd.QUIESCED, flushing.await())
        }
        single.close()
    }

    @Test
    fun `the last hold quiesces, and commands still work`() = test {
        folder.ready().use { compass ->
            val outer = compass.resume()
            compass.held { assertEquals(FlushEnd.DRAINED, flush().end) }
            assertEquals(FlushEnd.DRAINED, compass.flush().end)
            outer.release()
            outer.release()
            assertEquals(FlushEnd.QUIESCED, compass.flush().end)
            val session = compass.start("pump-check").view.key
            compass.setField(session, "site", FieldValue.Text("Mill Lane"))
            compass.held { assertEquals(FlushEnd.DRAINED, flush().end) }
        }
    }

    @Test
    fun `a hold is released although its work fails`() = test {
        folder.ready().use { compass ->
            val failed = runCatching { compass.held { throw IllegalArgumentException("of the app") } }
            assertEquals("of the app", failed.exceptionOrNull()?.message)
            assertEquals(FlushEnd.QUIESCED, compass.flush().end)
        }
    }

    @Test
    fun `after closing every call is refused, and closing again does nothing`() = test {
        val compass = folder.ready()
        val hold = compass.resume()
        compass.shutDown()
        compass.close()
        assertCode(ErrorCode.CLOSED) { compass.workflows() }
        assertCode(ErrorCode.CLOSED) { compass.flush() }
        hold.release()
    }

    @Test
    fun `a copy of the database opens like the database`() = test {
        val copy = folder.options(name = "copy.db")
        val session = folder.ready().use { compass ->
            compass.completed().also { compass.backup(copy.path) }
        }
        Compass.open(copy).use { assertEquals("pump-check", it.record(session).workflow.key) }
    }

    @Test
    fun `old sessions whose messages are abandoned are purged`() = test {
        folder.ready().use { compass ->
            val session = compass.completed()
            assertEquals(1L, compass.purge(0.seconds).keptUndelivered)
            compass.end(compass.start("pump-check").view.key, "nobody home")
            compass.setEndpointEnabled("office", false)
            assertEquals(1L, compass.outboxTotals().pending)
            compass.abandon(session, "report", "kim", "sent by hand")
            compass.purge(0.seconds)
            assertCode(ErrorCode.DELETED_SESSION) { compass.session(session) }
        }
    }

    @Test
    fun `a store of secrets that throws only makes the message wait`() = test {
        val store = SecretStore { name, _ -> throw IllegalStateException("locked: $name") }
        folder.ready(folder.options(secrets = store)).use { compass ->
            compass.completed()
            compass.flush()
            assertEquals("secret_unavailable", compass.outbox().items.single().delivery.reason)
        }
        folder.ready(folder.options(secrets = { _, _ -> SecretLookup.Missing })).use { compass ->
            compass.completed()
            compass.flush()
            assertEquals("secret_missing", compass.outbox().items.single().delivery.reason)
        }
    }

    @Test
    fun `a store of secrets gets the origin of the endpoint`() = test {
        val asked = java.util.concurrent.ConcurrentLinkedQueue<Pair<String, String>>()
        val store = SecretStore { name, origin ->
            asked += name to origin
            SecretLookup.Missing
        }
        folder.ready(folder.options(secrets = store), "https://office.test:8443/hooks?token=1").use { compass ->
            compass.completed()
            compass.flush()
        }
        assertEquals(listOf("office-secret" to "https://office.test:8443"), asked.toList())
    }

    @Test
    fun `the log shows what happens, without values`() = test {
        val lines = java.util.concurrent.LinkedBlockingQueue<String>()
        CompassLog.send(LogLevel.TRACE) { record -> lines += "${record.level} ${record.target} ${record.text}" }
        try {
            folder.ready(folder.options(secrets = { _, _ -> throw IllegalStateException("whsec_quoted") })).use { compass ->
                compass.completed()
                compass.flush()
            }
            val line = lines.poll(20, java.util.concurrent.TimeUnit.SECONDS)
            assertTrue(line != null && line.contains("compass_"), "$line")
        } finally {
            CompassLog.off()
        }
        assertTrue(lines.none { "Mill Lane" in it || "whsec" in it }, lines.toString())
    }
}
