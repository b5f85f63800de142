package dev.compass.core.scenario

import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.CompassOptions
import dev.compass.core.parse
import dev.compass.core.TransportHeader
import dev.compass.core.TransportOutcome
import dev.compass.core.TransportRequest
import dev.compass.core.TransportResponse
import dev.compass.core.SecretStore
import dev.compass.core.Transport
import dev.compass.core.model.Applied
import dev.compass.core.model.Connectivity
import dev.compass.core.model.Endpoint
import dev.compass.core.model.EndpointHeader
import dev.compass.core.model.FailureKind
import dev.compass.core.model.HeaderValue
import dev.compass.core.model.NetworkPolicy
import dev.compass.core.model.Phase
import dev.compass.core.model.Prefill
import dev.compass.core.model.RedactBodies
import dev.compass.core.model.RedactPending
import dev.compass.core.model.RedactionTarget
import dev.compass.core.model.ReplayFilter
import dev.compass.core.model.RequestSent
import dev.compass.core.model.SecretLookup
import dev.compass.core.model.SessionKey
import dev.compass.core.model.Signing
import dev.compass.core.model.Start
import dev.compass.core.model.TransportFailure
import dev.compass.core.model.WorkflowVersion
import dev.compass.core.test
import dev.compass.core.testing.ManualClock
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.io.path.name
import kotlin.io.path.readBytes
import kotlin.io.path.readText
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

/** The scenarios that every language runs; `tests/fixtures/scenarios/README.md` describes them. */
class ScenarioTest {
    @TempDir
    lateinit var folder: Path

    private val repository = Path.of(System.getProperty("repository.root"))

    @TestFactory
    fun scenarios(): List<DynamicTest> {
        val files = Files.list(repository.resolve("tests/fixtures/scenarios"))
            .use { all -> all.filter { it.name.endsWith(".json") }.sorted().toList() }
        check(files.isNotEmpty()) { "there is no scenario" }
        return files.map { file ->
            DynamicTest.dynamicTest(file.name.removeSuffix(".json")) {
                test(60.seconds) { World(repository, folder.resolve("${file.name}.db").toString()).play(file) }
            }
        }
    }
}

/** Answers from one queue for each URL, and keeps the requests. */
private class Wire : Transport {
    val queues = HashMap<String, ArrayDeque<TransportOutcome>>()
    val requests = mutableListOf<TransportRequest>()

    @Synchronized
    override fun send(request: TransportRequest): TransportOutcome {
        requests += request
        // Without an answer the request is still kept, and the step that flushed reports it.
        return queues[request.url]?.removeFirstOrNull()
            ?: TransportOutcome.Failed(TransportFailure(FailureKind.Other, Phase.RESOLVE, RequestSent.NO, "no answer is left"))
    }

    @Synchronized
    fun add(url: String, answers: List<TransportOutcome>) {
        queues.getOrPut(url, ::ArrayDeque) += answers
    }
}

/** A secret, the only origin for which it is given, and the secret that replaces it when it is refused. */
private class Kept(val lookup: SecretLookup, val origin: String?, val renewed: String? = null)

private class Store : SecretStore {
    val kept = ConcurrentHashMap<String, Kept>()

    /** Refused secrets that no step has named yet. */
    val refused = ConcurrentLinkedQueue<String>()

    override fun get(name: String, origin: String): SecretLookup =
        kept[name]?.takeIf { it.origin == null || it.origin == origin }?.lookup ?: SecretLookup.Missing

    override fun refused(name: String, origin: String) {
        refused += "$name $origin"
        kept.computeIfPresent(name) { _, it -> if (it.renewed == null) it else Kept(SecretLookup.Found(it.renewed, null), it.origin) }
    }
}

private class World(private val repository: Path, path: String) {
    private val wire = Wire()
    private val store = Store()
    private val options = CompassOptions(path, store, wire, clock = ManualClock())
    private lateinit var compass: Compass
    private var session: SessionKey? = null
    private var seen = 0

    private val clock get() = options.clock as ManualClock

    private fun current() = session ?: error("no session was started")

    suspend fun play(file: Path) {
        compass = Compass.open(options)
        Json.parseToJsonElement(file.readText()).members {
            assertTrue(text("title").isNotEmpty())
            list("steps").forEachIndexed { index, step ->
                try {
                    step(step)
                } catch (failed: Throwable) {
                    throw AssertionError("step ${index + 1}, ${(step as JsonObject)["do"]}: $failed", failed)
                }
            }
        }
        assertTrue(wire.queues.values.all { it.isEmpty() }, "an answer was left over")
        assertEquals(wire.requests.size, seen, "a request came that no step names")
        assertTrue(store.refused.isEmpty(), "a refusal that no step names")
        assertEquals(emptyList<String>(), compass.check().faults)
        compass.shutDown()
    }

    private suspend fun step(step: JsonElement) {
        val error = (step as JsonObject)["error"]
        val outcome = runCatching {
            Members(step).run {
                optional("error")
                act()
                done()
            }
        }
        val failed = outcome.exceptionOrNull()
        if (error == null) {
            failed?.let { throw it }
        } else {
            error.members {
                assertTrue(failed is CompassException, "expected ${text("code")}, got $failed")
                assertEquals(text("code") to optionalText("place"), (failed as CompassException).code to failed.place)
            }
        }
    }

    private suspend fun Members.act() {
        when (val what = text("do")) {
            "import" -> compass.importWorkflow(repository.resolve(text("document")).readBytes())
            "integration" -> compass.setIntegrationEnabled(flag("enabled"))
            "endpoint" -> compass.putEndpoint(endpoint())
            "enable_endpoint" -> compass.setEndpointEnabled(text("key"), flag("enabled"))
            "secret" -> {
                val found = optionalText("current")?.let { SecretLookup.Found(it, optionalText("previous")) }
                store.kept[text("name")] = Kept(found ?: SecretLookup.Missing, optionalText("origin"), optionalText("renewed"))
                compass.secretsChanged()
            }
            "refused" -> assertEquals(list("secrets").map { it.text() }, generateSequence { store.refused.poll() }.toList())
            "start" -> start()
            "run" -> {
                val outcome = compass.run(current(), each("commands") { command() }, optionalText("actor"), optionalText("command_id"))
                applied(outcome.applied)
            }
            "draft" -> compass.saveDraft(current(), text("field"), text("text"))
            "parse" -> {
                val field = text("field")
                val definition = compass.workflow(text("workflow")).fields.single { it.key == field }
                val state = definition.parse(text("text"))
                assertEquals(text("state") to optionalText("value"), state.name() to state.value())
            }
            "connectivity" -> compass.setConnectivity(connectivity())
            "advance" -> clock.advance(number("ms").milliseconds)
            "answers" -> wire.add(text("url"), list("with").map(::outcome))
            "flush" -> flush()
            "send" -> compass.send(current(), text("action"), optionalText("actor"), text("command_id")).let { applied(it.applied) }
            "send_corrected" ->
                compass.sendCorrected(current(), text("action"), optionalText("actor"), text("command_id")).let { applied(it.applied) }
            "replay" -> compass.replay(current(), text("action"), optionalText("actor"), text("command_id")).let { applied(it.applied) }
            "replay_session" -> compass.replaySession(current(), optionalText("actor"), text("command_id")).let { applied(it.applied) }
            "replay_sent" -> {
                val report = compass.replaySent(ReplayFilter(text("endpoint")), optionalText("actor"))
                assertEquals(number("replayed"), report.replayed.toLong())
                assertEquals(optional("body_dropped")?.number() ?: 0, report.bodyDropped.toLong())
                assertEquals(0L to null, report.left to report.next)
            }
            "abandon" ->
                compass.abandon(current(), text("action"), text("actor"), text("reason"), text("command_id")).let { applied(it.applied) }
            "abandon_session" ->
                compass.abandonSession(current(), text("actor"), text("reason"), text("command_id")).let { applied(it.applied) }
            "redact" -> {
                val (field, note) = optionalText("field") to optional("note")?.number()
                val target = field?.let { RedactionTarget.Field(it) } ?: RedactionTarget.Note(note!!.toInt())
                check(field == null || note == null) { "a field or a note" }
                val outcome = compass.redact(
                    current(),
                    target,
                    text("actor"),
                    text("reason"),
                    RedactPending.valueOf(text("pending").uppercase()),
                    RedactBodies.valueOf(text("bodies").uppercase()),
                    text("command_id"),
                )
                applied(outcome.applied)
                assertEquals(optional("holding")?.number() ?: 0, outcome.bodies.size.toLong())
                assertEquals(optionalText("erased") ?: "now", outcome.erased.written())
            }
            "purge" -> {
                val report = compass.purge(number("older_than_ms").milliseconds)
                assertEquals(number("sessions"), report.purged.toLong())
            }
            "reopen" -> {
                compass.shutDown()
                compass = Compass.open(options)
            }
            "expect" -> {
                val expected = (element("paths") as JsonObject).keys
                element("paths").members {
                    assertEquals(expected.associateWith { optionalText(it) }, expected.associateWith { compass.read(session, it) })
                }
            }
            else -> error("no step is called `$what`")
        }
    }

    private fun Members.applied(applied: Applied) = assertEquals(optionalText("applied") ?: "yes", applied.written())

    private fun Members.endpoint() = Endpoint(
        text("key"),
        text("url"),
        optionalText("secret")?.let { Signing.StandardWebhooks(it) } ?: Signing.None,
        optional("headers")?.let { each("headers") { header() } }.orEmpty(),
        NetworkPolicy.valueOf((optionalText("network") ?: "any").uppercase()),
    )

    private fun Members.header(): EndpointHeader {
        val secret = optionalText("secret")
        return EndpointHeader(text("name"), if (secret == null) HeaderValue.Plain(text("value")) else HeaderValue.Secret(secret))
    }

    private suspend fun Members.start() {
        val version = optionalText("version")?.split('.')?.map { it.toInt() }?.let { WorkflowVersion(it[0], it.getOrElse(1) { 0 }) }
        val prefill = optional("prefill")?.let {
            each("prefill") { Prefill(text("field"), element("value").members { value() }, text("source")) }
        }
        val start = Start(text("command_id"), text("workflow"), version, optionalText("actor"), prefill.orEmpty())
        val outcome = compass.start(start)
        session = outcome.view.key
        applied(outcome.applied)
    }

    private fun Members.connectivity(): Connectivity {
        val validated = optional("validated")?.flag()
        val metered = optional("metered")?.flag() ?: false
        val network = optional("network")?.let { number("network") }
        return when (val state = text("state")) {
            "unknown" -> Connectivity.Unknown
            "offline" -> Connectivity.Offline
            "online" -> Connectivity.Online(validated, metered, network)
            else -> error("no connectivity is called `$state`")
        }
    }

    private fun outcome(json: JsonElement): TransportOutcome = json.members {
        if (optional("failure") != null) {
            element("failure").members { TransportOutcome.Failed(failure()) }
        } else {
            val headers = (optional("headers") as JsonObject?)?.map { (name, value) -> TransportHeader(name, value.text()) }
            TransportOutcome.Answered(TransportResponse(number("status").toInt(), headers.orEmpty()))
        }
    }

    private fun Members.failure(): TransportFailure {
        val kind = when (val name = text("kind")) {
            "no_network" -> FailureKind.NoNetwork
            "dns" -> FailureKind.Dns
            "refused" -> FailureKind.Refused
            "timeout" -> FailureKind.Timeout
            "closed" -> FailureKind.Closed
            "certificate" -> FailureKind.Certificate(false)
            "certificate_time" -> FailureKind.Certificate(true)
            "tls" -> FailureKind.Tls
            "protocol" -> FailureKind.Protocol
            "other" -> FailureKind.Other
            else -> error("no failure is called `$name`")
        }
        return TransportFailure(kind, Phase.valueOf(text("phase").uppercase()), RequestSent.valueOf(text("request_sent").uppercase()), "")
    }

    private suspend fun Members.flush() {
        val report = compass.flush(60.seconds)
        val reported = mapOf<String, Any>(
            "end" to report.end.written(),
            "attempts" to report.attempts,
            "sent" to report.sent,
            "retrying" to report.retrying,
            "failed" to report.failed,
            "pending" to report.pending,
        )
        for ((member, expected) in (optional("report") as JsonObject?).orEmpty()) {
            assertEquals(expected.toString().trim('"'), reported.getValue(member).toString(), member)
        }
        val expected = each("requests") { Triple(text("url"), list("headers").map { it.text() }, text("body")) }
        val came = wire.requests.drop(seen).sortedBy { it.url }
            .map { request -> Triple(request.url, request.headers.map { "${it.name}: ${it.value}" }, request.body.decodeToString()) }
        seen = wire.requests.size
        assertEquals(expected, came)
    }
}
