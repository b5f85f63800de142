package dev.compass.core

import dev.compass.core.model.Applied
import dev.compass.core.model.FieldValue
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** A lazy handle. */
class LazyTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `it opens at its first use, once for all who call`() = test {
        val options = folder.options()
        val openings = AtomicInteger()
        Compass.lazy({ options.path }) { openings.incrementAndGet().let { Compass.open(options) } }.use { compass ->
            assertEquals(0, openings.get())
            compass.quiesce()
            compass.stopDelivery()
            assertNull(compass.current.value)
            withContext(Dispatchers.Default) { List(50) { async { compass.totals() } }.awaitAll() }
            assertEquals(1, openings.get())
            assertCode(ErrorCode.ALREADY_OPEN) { Compass.open(options) }
        }
        Compass.open(options).close()
    }

    @Test
    fun `an error of opening is thrown to the caller, and the next call tries again`() = test {
        val path = folder.resolve("late/compass.db")
        Compass.lazy(CompassOptions(path.toString())).use { compass ->
            assertCode(ErrorCode.CANNOT_OPEN) { compass.totals() }
            assertCode(ErrorCode.CANNOT_OPEN) { compass.importWorkflow(PUMP_CHECK.toByteArray()) }
            Files.createDirectories(path.parent)
            compass.importWorkflow(PUMP_CHECK.toByteArray())
            assertEquals(1, compass.workflows().size)
        }
    }

    @Test
    fun `calls before and after the opening are carried out in order`() {
        val main = Executors.newSingleThreadExecutor().asCoroutineDispatcher()
        test {
            val options = folder.options()
            val session = folder.ready(options).use { it.start("pump-check").view.key }
            repeat(20) {
                Compass.lazy(options).use { compass ->
                    withContext(main) {
                        (1..30).map { launch { compass.setField(session, "site", FieldValue.Text("v$it")) } }.joinAll()
                        (1..30).map { launch { compass.note(session, "$it") } }.joinAll()
                    }
                    assertEquals((1..30).map { "$it" }, compass.session(session).notes.map { it.text }.takeLast(30))
                }
            }
        }
        main.close()
    }

    @Test
    fun `closing waits for earlier calls, and the next call opens again`() = test {
        val options = folder.options()
        val compass = Compass.lazy(options)
        compass.close()
        assertNull(compass.current.value)
        compass.importWorkflow(PUMP_CHECK.toByteArray())
        val session = compass.start("pump-check").view.key
        val opened = compass.opened()
        val noting = async(start = CoroutineStart.UNDISPATCHED) { compass.note(session, "Before") }
        compass.shutDown()
        noting.await()
        assertNull(compass.current.value)
        assertCode(ErrorCode.CLOSED) { opened.totals() }
        Compass.open(options).close()

        assertEquals(listOf("Before"), compass.session(session).notes.map { it.text })
        compass.close()
        compass.close()
        Compass.open(options).close()
    }

    @Test
    fun `a flow goes on with the next handle, and opens none itself`() = test {
        val options = folder.options()
        val compass = Compass.lazy(options)
        compass.importWorkflow(PUMP_CHECK.toByteArray())
        val seen = compass.observeWorkflows().buffer(Channel.UNLIMITED).produceIn(this)
        assertEquals(1, seen.receive().size)
        compass.shutDown()
        assertNull(compass.current.value)
        Compass.erase(options.path)
        Compass.open(options).close()
        assertTrue(seen.tryReceive().isFailure)

        compass.totals()
        assertEquals(0, seen.receive().size)
        compass.importWorkflow(PUMP_CHECK.toByteArray())
        assertEquals(1, seen.receive().size)
        seen.cancel()
        compass.close()
    }

    @Test
    fun `a handle restores and erases its database, and goes on`() = test {
        for (kind in listOf("lazy", "open")) {
            val options = folder.options()
            val copy = folder.resolve("copy-of-$kind.db").toString()
            val compass: Compass = if (kind == "lazy") Compass.lazy(options) else Compass.open(options)
            compass.backup(copy)
            compass.importWorkflow(PUMP_CHECK.toByteArray())
            val seen = compass.observeWorkflows().buffer(Channel.UNLIMITED).produceIn(this)
            assertEquals(1, seen.receive().size)
            compass.restore(copy)
            assertEquals(0, compass.workflows().size)
            assertEquals(0, seen.receive().size)
            compass.importWorkflow(PUMP_CHECK.toByteArray())
            assertEquals(1, seen.receive().size)
            seen.cancel()

            compass.setIntegrationEnabled(true)
            compass.putEndpoint(endpoint("https://office.test/hooks"))
            val session = compass.completed()
            assertCode(ErrorCode.UNDELIVERED) { compass.erase() }
            assertEquals(1, compass.record(session).actions.size)
            compass.erase(DiscardUndelivered("Mia", "logged out"))
            assertCode(ErrorCode.UNKNOWN_SESSION) { compass.record(session) }
            assertEquals(options.path, compass.whileClosed { it })
            compass.close()
        }
    }

    @Test
    fun `an opened handle waits while it is closed, goes on after a failure, and stays closed once it is closed`() = test {
        val options = folder.options()
        val compass = folder.ready(options)
        val began = CompletableDeferred<Unit>()
        val goOn = CompletableDeferred<Unit>()
        val failing = async {
            runCatching {
                compass.whileClosed {
                    began.complete(Unit)
                    goOn.await()
                    error("it did not work")
                }
            }
        }
        began.await()
        Compass.open(options).close()
        val asking = async { compass.workflows().size }
        val writing = async { compass.start("pump-check").applied }
        goOn.complete(Unit)
        assertEquals("it did not work", failing.await().exceptionOrNull()?.message)
        assertEquals(1 to Applied.YES, asking.await() to writing.await())
        compass.close()
        assertCode(ErrorCode.CLOSED) { compass.workflows() }
        assertCode(ErrorCode.CLOSED) { compass.whileClosed { } }
    }

    @Test
    fun `calls wait while it is closed, and a refusal does not change the database`() = test {
        val options = folder.options()
        val compass = Compass.lazy(options)
        folder.ready(options).use { it.completed() }
        val began = CompletableDeferred<Unit>()
        val goOn = CompletableDeferred<Unit>()
        compass.totals()
        val refused = async {
            assertCode(ErrorCode.UNDELIVERED) {
                compass.whileClosed {
                    began.complete(Unit)
                    goOn.await()
                    Compass.erase(options.path)
                }
            }
        }
        began.await()
        val asking = listOf(async { compass.totals().sessions.completed }, async { compass.importWorkflow(PUMP_CHECK.toByteArray()) })
        goOn.complete(Unit)
        refused.await()
        assertEquals(1L, asking.first().await())
        asking.last().await()
        compass.close()
    }
}
