package dev.compass.core

import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.SessionView
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExecutorCoroutineDispatcher
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import kotlin.coroutines.CoroutineContext
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir

/** Calls that write take effect in the order in which they were made on one thread, as a screen makes them: each in a coroutine of its own. */
class OrderTest {
    @TempDir
    lateinit var folder: Path

    // The number is in `-Dorder.rounds`.
    private val rounds = Integer.getInteger("order.rounds", 200)
    private val main: ExecutorCoroutineDispatcher = Executors.newSingleThreadExecutor { Thread(it, "main-like") }.asCoroutineDispatcher()

    @AfterEach
    fun closeMain() = main.close()

    /** Each round begins a new session. The map of errors and their counts must be empty. */
    private fun rounds(of: CompassOptions = folder.options(), round: suspend CoroutineScope.(Compass, SessionView) -> String?) = runBlocking {
        folder.ready(of).use { compass ->
            val wrong = (1..rounds).mapNotNull {
                withContext(main) {
                    val view = compass.start("pump-check").view
                    coroutineScope { round(compass, view) }.also { compass.discard(view.key) }
                }
            }
            assertEquals(emptyMap<String, Int>(), wrong.groupingBy { it }.eachCount(), "of $rounds rounds")
        }
    }

    @Test
    @Timeout(1200)
    fun `of six values that are set without a pause the last one stays`() = rounds { compass, view ->
        (1..6).map { launch { compass.setField(view.key, "site", FieldValue.Text("v$it")) } }.joinAll()
        val kept = compass.session(view.key).fields.single { it.definition.key == "site" }.state
        if (kept == FieldState.Provided(FieldValue.Text("v6"))) null else "kept $kept"
    }

    @Test
    @Timeout(1200)
    fun `a tap does not overtake the value before it`() = rounds { compass, view -> blurAndTap(compass, view) }

    @Test
    @Timeout(1200)
    fun `a tap does not overtake the value before it, on one thread`() =
        Executors.newSingleThreadExecutor().asCoroutineDispatcher().use { single ->
            rounds(CompassOptions(folder.resolve("one.db").toString(), commandDispatcher = single)) { compass, view -> blurAndTap(compass, view) }
        }

    private suspend fun CoroutineScope.blurAndTap(compass: Compass, view: SessionView): String? {
        launch { compass.setField(view.key, "site", FieldValue.Text("Mill Lane")) }
        return try {
            async { compass.answer(view, "on") }.await()
            null
        } catch (refused: CompassException) {
            refused.code
        }
    }

    @Test
    @Timeout(1200)
    fun `no letter of a typed text is lost`() = rounds { compass, view ->
        val text = "Mill Lane 12"
        for (length in 1..text.length) {
            launch { compass.saveDraft(view.key, "site", text.take(length)) }
            yield()
        }
        coroutineContext[kotlinx.coroutines.Job]!!.children.forEach { it.join() }
        val kept = compass.session(view.key).fields.single { it.definition.key == "site" }.draft
        if (kept == text) null else "kept $kept"
    }

    /** Works until [shut], and again when [gate] opens. */
    private class Gated : CoroutineDispatcher() {
        val gate = CountDownLatch(1)
        private val work = Executors.newSingleThreadExecutor { Thread(it).apply { isDaemon = true } }

        override fun dispatch(context: CoroutineContext, block: Runnable) = work.execute(block)

        /** From here on nothing begins until the gate opens. */
        fun shut() = work.execute { gate.await() }
    }

    @Test
    fun `a write that waits is carried out although its caller is cancelled`() = test {
        val gated = Gated()
        Compass.open(CompassOptions(folder.resolve("gone.db").toString(), commandDispatcher = gated)).use { compass ->
            compass.importWorkflow(PUMP_CHECK.toByteArray())
            val session = compass.start("pump-check").view.key
            gated.shut()
            val screen = CoroutineScope(main)
            val typing = (1..5).map { screen.launch { compass.saveDraft(session, "site", "Mill".take(it)) } }
            val noting = screen.async { compass.note(session, "Kept") }
            // All have been called.
            withContext(main) { screen.cancel() }
            (typing + noting).joinAll()
            assertTrue(runCatching { noting.await() }.exceptionOrNull() is CancellationException)
            gated.gate.countDown()
            val view = compass.note(session, "Last").view
            assertEquals(listOf("Kept", "Last"), view.notes.map { it.text })
            assertEquals("Mill", view.fields.single { it.definition.key == "site" }.draft)
        }
    }

    /** It is in `runBlocking`, and that has gone as far as it can. A thread that loads a class waits too, but somewhere else. */
    private fun Thread.waitsForItsCoroutine() =
        stackTrace.asSequence().zipWithNext().any { (at, from) -> at.className.endsWith(".LockSupport") && from.methodName.startsWith("joinBlocking") }

    @Test
    fun `closing waits for earlier calls, and refuses later ones`() = test {
        for (blocking in listOf(false, true)) {
            val gated = Gated()
            val options = CompassOptions(folder.resolve("closing-$blocking.db").toString(), commandDispatcher = gated)
            val compass = Compass.open(options)
            compass.importWorkflow(PUMP_CHECK.toByteArray())
            val session = compass.start("pump-check").view.key
            gated.shut()
            val notes = (1..3).map { async(start = CoroutineStart.UNDISPATCHED) { compass.note(session, "Note $it") } }
            val closing = if (blocking) {
                val waits = CountDownLatch(1)
                val thread = Thread { waits.countDown(); compass.close() }.apply { start() }
                waits.await()
                while (!thread.waitsForItsCoroutine()) yield()
                async(Dispatchers.IO) { thread.join() }
            } else {
                async(start = CoroutineStart.UNDISPATCHED) { compass.shutDown() }
            }
            val late = async(start = CoroutineStart.UNDISPATCHED) { assertCode(ErrorCode.CLOSED) { compass.note(session, "Late") } }
            gated.gate.countDown()
            closing.await()
            late.await()
            assertEquals((1..3).map { "Note $it" }, notes.last().await().view.notes.map { it.text })
            Compass.open(CompassOptions(options.path)).use { assertEquals(3, it.session(session).notes.size) }
        }
    }

    @Test
    fun `no tap waits for a query, and no query and no delivery waits for a write`() = test {
        val queries = Gated()
        val commands = Gated()
        val options = CompassOptions(folder.resolve("beside.db").toString(), secrets, commandDispatcher = commands, queryDispatcher = queries)
        folder.ready(options).use { compass ->
            val session = compass.start("pump-check").view.key
            queries.shut()
            val waiting = listOf(async { compass.check() }, async { compass.backup(folder.resolve("copy.db").toString()) })
            yield()
            compass.setField(session, "site", FieldValue.Text("Mill Lane"))
            queries.gate.countDown()
            waiting.forEach { it.await() }

            commands.shut()
            val writing = async(start = CoroutineStart.UNDISPATCHED) { compass.note(session, "Waits") }
            assertEquals(0, compass.session(session).notes.size)
            compass.flush()
            commands.gate.countDown()
            assertEquals(1, writing.await().view.notes.size)
        }
    }
}
