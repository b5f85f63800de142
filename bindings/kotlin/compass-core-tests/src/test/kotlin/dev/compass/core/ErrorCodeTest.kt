package dev.compass.core

import dev.compass.core.model.ActionDefinition
import dev.compass.core.model.ActionKind
import dev.compass.core.model.Change
import dev.compass.core.model.Command
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldValue
import dev.compass.core.model.Integration
import dev.compass.core.model.NoteChange
import dev.compass.core.model.RedactBodies
import dev.compass.core.model.RedactPending
import dev.compass.core.model.RedactionTarget
import dev.compass.core.model.SessionKey
import dev.compass.core.model.Severity
import dev.compass.core.model.Signing
import dev.compass.core.model.WorkflowVersion
import java.io.RandomAccessFile
import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
import java.sql.DriverManager
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit
import kotlin.io.path.readText
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Every code of [ErrorCode] that can be reached, thrown once by the core. */
class ErrorCodeTest {
    @TempDir
    lateinit var folder: Path

    private fun document(change: String.() -> String = { this }) = PUMP_CHECK.change().toByteArray()

    private fun set(field: String, text: String) = FieldChange(field, Change.Set(FieldValue.Text(text)))

    private val action = ActionDefinition("report", "Report", Integration.WEBHOOKS, ActionKind.SEND_MESSAGE, "office")

    /** These commands, in a session that has just begun. */
    private fun refused(code: String, vararg commands: Command, place: String? = null) = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            val failed = assertCode(code) { compass.run(session, commands.toList()) }
            assertEquals(place to false, failed.place to failed.retryable)
        }
    }

    private fun note(text: String = "Gate is locked") = Command.Note("note-1", text)

    private fun end(reason: String = "Called away") = Command.End("end-1", reason)

    private fun answering(status: Int) = object : Transport {
        override fun send(request: TransportRequest) = TransportOutcome.Answered(TransportResponse(status))
    }

    /** A session whose one action failed. */
    private suspend fun Compass.rejected(): SessionKey = completed().also { assertEquals(1, flush().failed) }

    private fun CompassOptions.sql(vararg statements: String) = DriverManager.getConnection("jdbc:sqlite:$path").use { database ->
        for (statement in statements) database.createStatement().use { it.execute(statement) }
    }

    /** A session in progress whose stored document and hash were changed without the core, as if it had been imported like this. */
    private suspend fun tampered(old: String, new: String): Pair<Compass, SessionKey> {
        val options = folder.options()
        val session = folder.ready(options).use { compass ->
            compass.start("pump-check").view.key.also { compass.setField(it, "site", FieldValue.Text("Mill Lane")) }
        }
        DriverManager.getConnection("jdbc:sqlite:${options.path}").use { database ->
            fun ask(question: String): String = database.createStatement().use { it.executeQuery(question).getString(1) }
            val before = ask("SELECT CAST(document AS TEXT) FROM workflow")
            val after = before.replace(old, new)
            assertNotEquals(before, after)
            // A file with another trigger does not open, so this one is made again with the same text.
            val rule = ask("SELECT sql FROM sqlite_master WHERE name = 'workflow_is_immutable'")
            database.createStatement().use { it.execute("DROP TRIGGER workflow_is_immutable") }
            database.prepareStatement("UPDATE workflow SET document = ?, hash = ?").use { change ->
                change.setBytes(1, after.toByteArray())
                change.setBytes(2, hashOf(after))
                assertEquals(1, change.executeUpdate())
            }
            database.createStatement().use { it.execute(rule) }
        }
        return Compass.open(options) to session
    }

    /** As the core hashes documents: the members of objects sorted, and no white space. */
    private fun hashOf(document: String): ByteArray {
        fun sorted(json: JsonElement): JsonElement = when (json) {
            is JsonObject -> JsonObject(json.toSortedMap().mapValues { sorted(it.value) })
            is JsonArray -> JsonArray(json.map(::sorted))
            else -> json
        }
        return MessageDigest.getInstance("SHA-256").digest(sorted(Json.parseToJsonElement(document)).toString().toByteArray())
    }

    /** Starts this work in another process; [said] gives the last line of its output. */
    private fun otherProcess(what: String, path: String, before: List<String> = emptyList()): Process = ProcessBuilder(
        before + listOf(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", System.getProperty("java.class.path"),
            "dev.compass.core.OtherProcessKt", what, path,
        ),
    ).redirectError(ProcessBuilder.Redirect.INHERIT).start()

    private fun Process.said(): String {
        val said = inputStream.bufferedReader().readText().trim()
        check(waitFor(60, TimeUnit.SECONDS))
        return said.lines().last()
    }

    // The handle

    @Test
    fun already_open() = test {
        val options = folder.options()
        Compass.open(options).use { assertCode(ErrorCode.ALREADY_OPEN) { Compass.open(options) } }
    }

    @Test
    fun closed() = test {
        val compass = Compass.open(folder.options()).also { it.close() }
        assertCode(ErrorCode.CLOSED) { compass.totals() }
    }

    @Test
    fun reentrant() = test {
        val codes = CopyOnWriteArrayList<String>()
        lateinit var compass: Compass
        val transport = object : Transport {
            override fun send(request: TransportRequest): TransportOutcome {
                codes += runCatching { compass.close() }.fold({ "closed it" }, { (it as CompassException).code })
                return TransportOutcome.Answered(TransportResponse(202))
            }
        }
        folder.ready(folder.options(transport = transport)).use {
            compass = it
            it.completed()
            assertEquals(1, it.flush().sent)
        }
        assertEquals(listOf(ErrorCode.REENTRANT), codes)
    }

    @Test
    fun invalid_option() = test {
        val policy = Compass.defaultRetryPolicy().copy(jitter = 2.0)
        val options = CompassOptions(folder.resolve("c.db").toString(), retry = policy)
        val failed = assertCode(ErrorCode.INVALID_OPTION) { Compass.open(options) }
        assertEquals("retry.jitter", failed.place)
    }

    // The file

    @Test
    fun cannot_open() = test {
        assertTrue(assertCode(ErrorCode.CANNOT_OPEN) { Compass.open(folder.resolve("no-folder").options()) }.retryable)
    }

    @Test
    fun locked() = test {
        val options = folder.options()
        Compass.open(options).use { compass ->
            val other = otherProcess("hold", options.path)
            assertEquals("held", other.inputStream.bufferedReader().readLine())
            assertTrue(assertCode(ErrorCode.LOCKED) { compass.setIntegrationEnabled(true) }.retryable)
            other.outputStream.close()
            check(other.waitFor(60, TimeUnit.SECONDS))
            compass.setIntegrationEnabled(true)
        }
    }

    @Test
    fun disk_full() {
        val disk = "mount -t tmpfs -o size=2m none \"$1\" || exit 77; shift; exec \"$@\""
        val small = Files.createDirectory(folder.resolve("small"))
        val there = listOf("unshare", "-rm", "sh", "-c", disk, "sh", small.toString())
        val said = runCatching { otherProcess("fill", small.toString(), there).said() }
        assumeTrue(said.getOrDefault("").isNotEmpty(), "no small disk can be made here")
        assertEquals("disk_full true", said.getOrThrow())
    }

    @Test
    fun out_of_memory() = test {
        val options = folder.options()
        Compass.open(options).close()
        // Wants a gigabyte.
        options.sql(
            "CREATE TRIGGER wants AFTER INSERT ON workflow BEGIN " +
                "SELECT RAISE(IGNORE) WHERE length(randomblob(1000000000)) < 0; END",
        )
        val said = runCatching { otherProcess("memory", options.path).said() }.getOrDefault("")
        assumeTrue(said != "no limit", "the memory of a process cannot be limited here")
        assertEquals("out_of_memory true", said)
    }

    @Test
    fun corrupt() = test {
        val options = folder.options()
        folder.ready(options).close()
        options.sql("PRAGMA wal_checkpoint(TRUNCATE)")
        RandomAccessFile(options.path, "rw").use { file ->
            file.seek(100)
            file.write(ByteArray(3996) { (it * 7 + 3).toByte() })
        }
        assertCode(ErrorCode.CORRUPT) { Compass.open(options) }
    }

    @Test
    fun not_a_database() = test {
        val options = folder.options()
        Files.writeString(Path.of(options.path), "Once upon a time there was a pump. ".repeat(200))
        assertCode(ErrorCode.NOT_A_DATABASE) { Compass.open(options) }
    }

    @Test
    fun newer_schema() = test {
        val options = folder.options()
        Compass.open(options).close()
        options.sql("PRAGMA user_version = 999")
        assertCode(ErrorCode.NEWER_SCHEMA) { Compass.open(options) }
    }

    @Test
    fun io() {
        val said = runCatching { otherProcess("limit", folder.resolve("c.db").toString()).said() }.getOrDefault("")
        assumeTrue(said != "no limit", "the size of files cannot be limited here")
        assertEquals("io true", said)
    }

    // Workflows

    @Test
    fun invalid_workflow() = test {
        Compass.open(folder.options()).use { compass ->
            val astray = document { replace("\"start\": \"arrive\"", "\"start\": \"x\"") }
            val failed = assertCode(ErrorCode.INVALID_WORKFLOW) { compass.importWorkflow(astray) }
            assertEquals("/start", failed.place)
        }
    }

    @Test
    fun workflow_conflict() = test {
        folder.ready().use { compass ->
            assertCode(ErrorCode.WORKFLOW_CONFLICT) { compass.importWorkflow(document { replace("Pump check", "Another") }) }
        }
    }

    @Test
    fun unknown_workflow() = test {
        Compass.open(folder.options()).use { assertEquals("x", assertCode(ErrorCode.UNKNOWN_WORKFLOW) { it.workflow("x") }.place) }
    }

    @Test
    fun not_startable() = test {
        Compass.open(folder.options()).use { compass ->
            compass.importWorkflow(document { replace(", \"next\": \"done\"", "") })
            val failed = assertCode(ErrorCode.NOT_STARTABLE) { compass.start("pump-check") }
            assertTrue(failed.findings.any { it.severity == Severity.INCOMPLETE })
        }
    }

    @Test
    fun authoring() = test {
        assertCode(ErrorCode.AUTHORING) { WorkflowDocument.addAction(document(), "done", action) }
        assertCode(ErrorCode.AUTHORING) { WorkflowDocument.replaceAction(document(), "done", "nothing", action) }
        assertCode(ErrorCode.AUTHORING) { WorkflowDocument.removeAction(document(), "done", "nothing") }
    }

    // Sessions

    @Test
    fun unknown_session() = test {
        Compass.open(folder.options()).use { assertCode(ErrorCode.UNKNOWN_SESSION) { it.session("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11") } }
    }

    @Test
    fun deleted_session() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            compass.end(session, "Called away")
            compass.delete(session)
            assertCode(ErrorCode.DELETED_SESSION) { compass.session(session) }
        }
    }

    @Test
    fun command_id_reused() = refused(ErrorCode.COMMAND_ID_REUSED, note(), note("Gate is open"))

    @Test
    fun not_deletable() = test {
        folder.ready().use { assertCode(ErrorCode.NOT_DELETABLE) { it.delete(it.start("pump-check").view.key) } }
    }

    @Test
    fun undelivered() = test {
        folder.ready().use { assertEquals(1L, assertCode(ErrorCode.UNDELIVERED) { it.delete(it.completed()) }.undelivered) }
    }

    @Test
    fun not_in_progress() = refused(ErrorCode.NOT_IN_PROGRESS, end(), Command.SetFields(listOf(set("site", "Mill Lane"))))

    @Test
    fun not_finished() = refused(ErrorCode.NOT_FINISHED, Command.Edit("edit-1", listOf(set("site", "Mill Lane")), emptyList()))

    @Test
    fun already_finished() = refused(ErrorCode.ALREADY_FINISHED, end(), Command.Discard)

    @Test
    fun discarded() = refused(ErrorCode.DISCARDED, Command.Discard, note())

    @Test
    fun unknown_visit() = refused(ErrorCode.UNKNOWN_VISIT, Command.Back(1, 9), place = "9")

    @Test
    fun already_there() = refused(ErrorCode.ALREADY_THERE, Command.Back(1, 1), place = "1")

    @Test
    fun unknown_answer() = refused(ErrorCode.UNKNOWN_ANSWER, Command.Answer(1, "off"), place = "arrive.off")

    @Test
    fun unlinked_answer() = test {
        val (compass, session) = tampered(", \"next\": \"done\"", "")
        compass.use {
            assertEquals("arrive.on", assertCode(ErrorCode.UNLINKED_ANSWER) { it.run(session, listOf(Command.Answer(1, "on"))) }.place)
        }
    }

    @Test
    fun broken_workflow() = test {
        val (compass, session) = tampered("\"next\": \"done\"", "\"next\": \"gone\"")
        compass.use {
            assertEquals("gone", assertCode(ErrorCode.BROKEN_WORKFLOW) { it.run(session, listOf(Command.Answer(1, "on"))) }.place)
        }
    }

    @Test
    fun workflow_in_use() = test {
        folder.ready().use { compass ->
            compass.start("pump-check")
            assertCode(ErrorCode.WORKFLOW_IN_USE) { compass.forgetWorkflow("pump-check", WorkflowVersion(1)) }
        }
    }

    @Test
    fun requires_newer_core() = test {
        val (compass, session) = tampered("\"format\": 1", "\"requires\": [\"something-new\"], \"format\": 1")
        compass.use {
            assertEquals(1, it.session(session).visit)
            assertCode(ErrorCode.REQUIRES_NEWER_CORE) { it.discard(session) }
        }
    }

    @Test
    fun unknown_response() = refused(ErrorCode.UNKNOWN_RESPONSE, Command.UseResponse("response-1", "x"), place = "x")

    @Test
    fun unknown_note() =
        refused(ErrorCode.UNKNOWN_NOTE, end(), Command.Edit("edit-1", emptyList(), listOf(NoteChange(9, "x"))), place = "9")

    @Test
    fun duplicate_note() {
        val twice = listOf(NoteChange(2, "one"), NoteChange(2, "two"))
        refused(ErrorCode.DUPLICATE_NOTE, note(), end(), Command.Edit("edit-1", emptyList(), twice), place = "2")
    }

    @Test
    fun unknown_fields() = refused(ErrorCode.UNKNOWN_FIELDS, Command.SetFields(listOf(set("x", "x"))), place = "x")

    @Test
    fun fields_not_on_path() = test {
        Compass.open(folder.options()).use { compass ->
            val later = document {
                replace("[\"site\", \"pressure\"]", "[\"site\"]").replace("\"Good bye.\"", "\"Good bye.\", \"fields\": [\"pressure\"]")
            }
            compass.importWorkflow(later)
            val session = compass.start("pump-check").view.key
            val pressure = FieldValue.Decimal("1".toBigDecimal())
            assertEquals("pressure", assertCode(ErrorCode.FIELDS_NOT_ON_PATH) { compass.setField(session, "pressure", pressure) }.place)
        }
    }

    @Test
    fun duplicate_fields() =
        refused(ErrorCode.DUPLICATE_FIELDS, Command.SetFields(listOf(set("site", "one"), set("site", "two"))), place = "site")

    @Test
    fun nothing_given() = refused(ErrorCode.NOTHING_GIVEN, Command.SetFields(emptyList()))

    @Test
    fun not_an_end_section() = refused(ErrorCode.NOT_AN_END_SECTION, Command.Complete(1), place = "arrive")

    @Test
    fun field_problems() = refused(ErrorCode.FIELD_PROBLEMS, Command.Answer(1, "on"), place = "site")

    @Test
    fun blank() = refused(ErrorCode.BLANK, end(" "), place = "reason")

    @Test
    fun too_long() = refused(ErrorCode.TOO_LONG, note("x".repeat(10_001)), place = "note")

    @Test
    fun control_character() = refused(ErrorCode.CONTROL_CHARACTER, note("a\u0000b"), place = "note")

    // Actions and endpoints

    @Test
    fun unknown_action() = test {
        folder.ready().use { compass ->
            val session = compass.start("pump-check").view.key
            assertEquals("report", assertCode(ErrorCode.UNKNOWN_ACTION) { compass.send(session, "report") }.place)
        }
    }

    @Test
    fun action_status() = test {
        folder.ready(folder.options(transport = answering(202))).use { compass ->
            val session = compass.completed()
            compass.flush()
            assertCode(ErrorCode.ACTION_STATUS) { compass.send(session, "report") }
        }
    }

    @Test
    fun action_locked() = test {
        folder.ready(folder.options(transport = answering(400))).use { compass ->
            val session = compass.rejected()
            repeat(3) {
                compass.send(session, "report")
                compass.flush()
            }
            assertCode(ErrorCode.ACTION_LOCKED) { compass.send(session, "report") }
        }
    }

    @Test
    fun nothing_corrected() = test {
        folder.ready(folder.options(transport = answering(400))).use { compass ->
            val session = compass.rejected()
            assertCode(ErrorCode.NOTHING_CORRECTED) { compass.sendCorrected(session, "report") }
        }
    }

    @Test
    fun body_dropped() = test {
        folder.ready(folder.options(transport = answering(202))).use { compass ->
            val session = compass.completed()
            compass.flush()
            compass.redact(session, RedactionTarget.Field("site"), "Mia", "Not ours to know", RedactPending.ABANDON, RedactBodies.FORGET)
            assertEquals("report", assertCode(ErrorCode.BODY_DROPPED) { compass.replay(session, "report") }.place)
        }
    }

    @Test
    fun payload_too_large() = test {
        val pages = (1..4).map { "page$it" }
        val document = document {
            replace("\"fields\": [\n", "\"fields\": [\n" + pages.joinToString("") { "{ \"key\": \"$it\", \"name\": \"Page\", \"type\": \"text\", \"max_length\": 20000 },\n" })
                .replace("\"fields\": [\"site\"", "\"fields\": [${pages.joinToString("") { "\"$it\", " }}\"site\"")
                .replace("\"version\": 1", "\"version\": 2")
        }
        folder.ready(folder.options(transport = answering(202))).use { compass ->
            compass.importWorkflow(document)
            val session = compass.start("pump-check").view.key
            compass.setFields(session, pages.map { set(it, "🔥".repeat(20_000)) } + set("site", "Mill Lane"))
            compass.complete(compass.answer(compass.session(session), "on").view)
            assertEquals("report", assertCode(ErrorCode.PAYLOAD_TOO_LARGE) { compass.send(session, "report") }.place)
            assertCode(ErrorCode.PAYLOAD_TOO_LARGE) { compass.sendCorrected(session, "report") }
        }
    }

    @Test
    fun unknown_delivery() = test {
        Compass.open(folder.options()).use { assertCode(ErrorCode.UNKNOWN_DELIVERY) { it.deliveryBody("msg_" + "a".repeat(26)) } }
    }

    @Test
    fun unknown_endpoint() = test {
        Compass.open(folder.options()).use { compass ->
            assertEquals("office", assertCode(ErrorCode.UNKNOWN_ENDPOINT) { compass.archiveEndpoint("office") }.place)
        }
    }

    @Test
    fun invalid_endpoint() = test {
        Compass.open(folder.options()).use { compass ->
            val failed = assertCode(ErrorCode.INVALID_ENDPOINT) { compass.putEndpoint(endpoint("https://user@office.test", Signing.None)) }
            assertEquals("url", failed.place)
        }
    }

    @Test
    fun invalid_argument() = test {
        folder.ready().use { compass ->
            assertEquals("session", assertCode(ErrorCode.INVALID_ARGUMENT) { compass.session("42 Mill Lane") }.place)
            assertCode(ErrorCode.INVALID_ARGUMENT) { compass.sessions(limit = 0) }
            val session = compass.start("pump-check").view.key
            // Half of an emoji, which is not a text in any encoding.
            assertCode(ErrorCode.INVALID_ARGUMENT) { compass.note(session, "cut \uD83D") }
        }
    }

    @Test
    fun internal() = test {
        val (compass, session) = tampered("\"type\": \"decimal\"", "\"type\": \"colour\"")
        compass.use { assertFalse("Mill Lane" in assertCode(ErrorCode.INTERNAL) { it.session(session) }.toString()) }
    }

    @Test
    fun `every code of the core is in ErrorCode, and has its test here`() {
        val root = Path.of(System.getProperty("repository.root"))
        val pattern = Regex("=> \"([a-z_]+)\",")
        val core = listOf("src/error.rs", "src/engine/session/refusal.rs").flatMap { file ->
            pattern.findAll(root.resolve(file).readText()).map { it.groupValues[1] }
        }.toSortedSet()
        assertTrue(core.size > 40)
        val known = ErrorCode::class.java.fields.filter { it.type == String::class.java }.map { it.get(null) as String }.toSortedSet()
        assertEquals(core, known)
        assertEquals(emptySet<String>(), core - javaClass.methods.map { it.name }.toSet())
    }
}
