package dev.compass.core

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.WorkflowVersion
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.name
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Replacing a database with a copy, and erasing a database. */
class RestoreTest {
    @TempDir
    lateinit var folder: Path

    private val discard = DiscardUndelivered(actor = "Mia", reason = "The office has them on paper")

    private val accepting = object : Transport {
        override fun send(request: TransportRequest) = TransportOutcome.Answered(TransportResponse(202))
    }

    private fun copy() = folder.resolve("copy.db").toString()

    private fun names() = Files.list(folder).use { files -> files.map { it.name }.sorted().toList() }

    @Test
    fun `a copy replaces the database, and the old file is kept until the new one has been opened`() = test {
        val options = folder.options(name = "compass.db", transport = accepting)
        folder.ready(options).use { compass ->
            compass.completed()
            compass.backup(copy())
            compass.completed()
            assertEquals(2, compass.flush().sent)
        }
        Compass.restore(copy(), RestoreOptions(options.path))
        assertTrue("compass.db.before-restore" in names())
        Compass.open(options).use { compass ->
            assertEquals(1L, compass.totals().sessions.completed)
            // It was sent before the restore, and is sent again with the same id.
            assertEquals(1, compass.flush().sent)
        }
        assertFalse("compass.db.before-restore" in names())
    }

    @Test
    fun `a copy replaces a database that does not open, and a missing one`() = test {
        val options = folder.options(name = "compass.db", transport = accepting)
        val session = folder.ready(options).use { compass ->
            compass.completed().also {
                compass.flush()
                compass.backup(copy())
            }
        }
        Files.write(Path.of(options.path), ByteArray(9000) { 0x5a })
        // Waiting messages in a file that cannot be read cannot be counted.
        assertNull(assertCode(ErrorCode.UNDELIVERED) { Compass.restore(copy(), RestoreOptions(options.path)) }.undelivered)
        Compass.restore(copy(), RestoreOptions(options.path, discard))
        Compass.open(options).use { assertEquals(ActionStatus.SENT, it.record(session).actions.single().status) }

        val elsewhere = folder.options(name = "elsewhere.db")
        Compass.restore(copy(), RestoreOptions(elsewhere.path))
        Compass.open(elsewhere).use { assertEquals(1L, it.totals().sessions.completed) }
    }

    @Test
    fun `a copy needs a closed handle, and a person when messages would be lost`() = test {
        val options = folder.options(name = "compass.db")
        val restore = RestoreOptions(options.path)
        val session = folder.ready(options).use { compass ->
            compass.backup(copy())
            assertCode(ErrorCode.ALREADY_OPEN) { Compass.restore(copy(), restore) }
            compass.completed()
        }
        val refused = assertCode(ErrorCode.UNDELIVERED) { Compass.restore(copy(), restore) }
        assertTrue("1 message" in refused.detail, refused.detail)
        Compass.open(options).use { assertEquals(1L, it.outboxTotals().pending) }
        val nobody = RestoreOptions(options.path, DiscardUndelivered(" ", "The office has them on paper"))
        assertEquals("actor", assertCode(ErrorCode.BLANK) { Compass.restore(copy(), nobody) }.place)
        Compass.restore(copy(), RestoreOptions(options.path, discard))
        Compass.open(options).use { assertCode(ErrorCode.UNKNOWN_SESSION) { it.session(session) } }
    }

    @Test
    fun `a file that is not a copy is refused`() = test {
        val options = folder.options(name = "compass.db")
        folder.ready(options).close()
        assertEquals("from", assertCode(ErrorCode.INVALID_ARGUMENT) { Compass.restore(copy(), RestoreOptions(options.path)) }.place)
        Files.writeString(Path.of(copy()), "Once upon a time there was a pump. ".repeat(200))
        assertCode(ErrorCode.NOT_A_DATABASE) { Compass.restore(copy(), RestoreOptions(options.path)) }
        Compass.open(options).use { assertEquals(1, it.workflows().size) }
    }

    @Test
    fun `erasing leaves nothing, and needs a person when messages would be lost`() = test {
        val options = folder.options(name = "compass.db")
        folder.ready(options).use { compass ->
            compass.completed()
            assertCode(ErrorCode.ALREADY_OPEN) { Compass.erase(options.path) }
        }
        assertCode(ErrorCode.UNDELIVERED) { Compass.erase(options.path) }
        Compass.open(options).use { assertEquals(1L, it.outboxTotals().pending) }
        val silent = DiscardUndelivered("Mia", "")
        assertEquals("reason", assertCode(ErrorCode.BLANK) { Compass.erase(options.path, silent) }.place)
        Compass.erase(options.path, discard)
        assertEquals(emptyList<String>(), names())
        Compass.erase(options.path)
        Compass.open(options).use { assertEquals(emptyList<Any>(), it.workflows()) }
    }

    @Test
    fun `a caller who was cancelled before it began erases nothing`() = test {
        val options = folder.options(name = "compass.db")
        folder.ready(options).close()
        val gone = launch(start = CoroutineStart.LAZY) { Compass.erase(options.path) }
        gone.cancelAndJoin()
        Compass.open(options).use { assertEquals(1, it.workflows().size) }
    }

    @Test
    fun `readable rows of a database are saved line by line, waiting messages first`() = test {
        val saved = folder.resolve("saved.jsonl")
        val options = folder.options(name = "compass.db", transport = accepting)
        val session = folder.ready(options).use { it.completed() }
        val report = Compass.salvage(options.path, saved.toString())
        val lines = Files.readAllLines(saved)
        assertEquals(listOf(1L, 0L, lines.size.toLong()), listOf(report.unsent, report.gaps, report.lines))
        assertTrue(lines.first().startsWith("{\"unsent\":") && session in lines.first())
        assertCode(ErrorCode.INVALID_ARGUMENT) { Compass.salvage(options.path, saved.toString()) }
    }

    @Test
    fun `a version that no session uses can be forgotten, and imported again with other content`() = test {
        val first = WorkflowVersion(1)
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            assertCode(ErrorCode.WORKFLOW_IN_USE) { compass.forgetWorkflow("pump-check", first) }
            compass.discard(session)
            assertEquals(emptyList<String>(), compass.delete(session).unusedFiles + compass.files())
            compass.forgetWorkflow("pump-check", first)
            assertCode(ErrorCode.UNKNOWN_WORKFLOW) { compass.forgetWorkflow("pump-check", first) }
            assertTrue(compass.importWorkflow(PUMP_CHECK.replace("Pump check", "Another").toByteArray()).imported)
        }
    }
}
