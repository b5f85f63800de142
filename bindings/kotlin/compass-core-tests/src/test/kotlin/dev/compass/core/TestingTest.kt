package dev.compass.core

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Change
import dev.compass.core.model.Command
import dev.compass.core.model.Connectivity
import dev.compass.core.model.DeliveryState
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.MessagePreview
import dev.compass.core.model.NotFiredFilter
import dev.compass.core.model.Note
import dev.compass.core.model.NoteChange
import dev.compass.core.model.OutboxFilter
import dev.compass.core.model.RecordField
import dev.compass.core.model.ReplayFilter
import dev.compass.core.model.SecretLookup
import dev.compass.core.model.SessionFilter
import dev.compass.core.model.SessionState
import dev.compass.core.model.Signing
import dev.compass.core.model.ValueSource
import dev.compass.core.model.WorkflowRef
import dev.compass.core.model.WorkflowVersion
import dev.compass.core.testing.FakeCall
import dev.compass.core.testing.FakeCompass
import dev.compass.core.testing.FakeState
import dev.compass.core.testing.ManualClock
import dev.compass.core.testing.MemorySecretStore
import dev.compass.core.testing.ScriptedTransport
import dev.compass.core.testing.SinkAnswer
import dev.compass.core.testing.WebhookSink
import dev.compass.core.testing.action
import dev.compass.core.testing.after
import dev.compass.core.testing.delivery
import dev.compass.core.testing.endpointStatus
import dev.compass.core.testing.fieldView
import dev.compass.core.testing.loopbackTls
import dev.compass.core.testing.outboxItem
import dev.compass.core.testing.problem
import dev.compass.core.testing.sessionRecord
import dev.compass.core.testing.sessionSummary
import dev.compass.core.testing.sessionView
import dev.compass.core.testing.workflowSummary
import java.nio.file.Path
import java.time.Instant
import javax.net.ssl.HttpsURLConnection
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The tools for tests of apps. */
class TestingTest {
    @TempDir
    lateinit var folder: Path

    private suspend fun view() = folder.ready().use { it.start("pump-check", actor = "jo").view }

    @Test
    fun `a fake shows the state that it is given, and keeps the calls that it gets`() = test {
        val view = view()
        val fake = FakeCompass(FakeState(views = mapOf(view.key to view)))
        assertEquals(view, fake.start("pump-check").view)
        fake.setField(view.key, "site", FieldValue.Text("Mill Lane"))
        fake.answer(view, "on")
        assertEquals(Command.Answer(view.visit, "on"), fake.commands.last())
        assertEquals(2, fake.commands.size)

        fake.setConnectivity(Connectivity.Offline)
        assertEquals(Connectivity.Offline, fake.connectivity)
        fake.held { flush(); flush(urgent = true) }
        assertEquals(Triple(2, 1, 0), Triple(fake.flushes, fake.urgentFlushes, fake.holds))
    }

    @Test
    fun `a fake refuses one call, and its flows go on`() = test {
        val view = sessionView { copy(actor = "jo") }
        val fake = FakeCompass(FakeState(views = mapOf(view.key to view)))
        val seen = fake.observeSession(view.key).produceIn(this)
        assertEquals(view, seen.receive())
        val missing = problem()
        fake.refuseNext(CompassException(ErrorCode.FIELD_PROBLEMS, problems = listOf(missing)), of = "answer")
        fake.refuseNext(CompassException(ErrorCode.NOT_IN_PROGRESS), of = "saveDraft")
        fake.setField(view.key, "site", FieldValue.Text("Mill Lane"))
        assertEquals(listOf(missing), assertCode(ErrorCode.FIELD_PROBLEMS) { fake.answer(view, "on") }.problems)
        assertCode(ErrorCode.NOT_IN_PROGRESS) { fake.saveDraft(view.key, "site", "M") }
        fake.saveDraft(view.key, "site", "Mi")
        fake.answer(view, "on")
        assertEquals(2, fake.commands.size)
        fake.change { copy(views = mapOf(view.key to view.copy(visit = 2))) }
        assertEquals(2, seen.receive().visit)
        seen.cancel()
    }

    @Test
    fun `a fake refuses only what has a name`() = test {
        val fake = FakeCompass()
        for (name in listOf("setField", "sned", "observeRecord", "close", "shutDown")) {
            val thrown = assertThrows(IllegalArgumentException::class.java) { fake.refuseNext(CompassException(ErrorCode.DISK_FULL), of = name) }
            assertTrue(thrown.message!!.contains("setFields"), thrown.message)
        }
        for (name in listOf("flush", "purge", "run", "setFields", "discard", "useResponse")) {
            fake.refuseNext(CompassException(ErrorCode.DISK_FULL), of = name)
        }
        assertCode(ErrorCode.DISK_FULL) { fake.flush() }
    }

    @Test
    fun `a fake keeps every call, and moves its view as the test says`() = test {
        val view = sessionView()
        val fake = FakeCompass(FakeState(views = mapOf(view.key to view), records = mapOf(view.key to sessionRecord { copy(actions = listOf(action())) })))
        fake.onRun { command -> if (command is Command.Answer) copy(visit = visit + 1, section = section.copy(key = "done", isEnd = true)) else this }
        val seen = fake.observeSession(view.key).produceIn(this)
        assertEquals(view, seen.receive())
        val moved = fake.answer(view, "on").view
        assertEquals("done" to 2, moved.section.key to moved.visit)
        assertEquals(moved, seen.receive())
        seen.cancel()
        fake.saveDraft(view.key, "site", "Mill")
        fake.sendFailedAgain("jo")
        fake.abandon(view.key, "report", "jo", "by hand", "a1")
        fake.putEndpoint(endpointStatus().endpoint)
        fake.replay(view.key, "report", "jo", "r1")
        fake.refuseNext(CompassException(ErrorCode.DISK_FULL), of = "replaySession")
        assertCode(ErrorCode.DISK_FULL) { fake.replaySession(view.key) }
        fake.replaySent(ReplayFilter("office"))
        val replays = listOf("replay", "replaySession", "replaySent")
        assertEquals(listOf("run", "saveDraft", "sendFailedAgain", "abandon", "putEndpoint") + replays, fake.calls.map { it.name })
        assertEquals(listOf(ReplayFilter("office"), null, null), fake.calls.last().arguments)
        assertEquals(FakeCall("saveDraft", listOf(view.key, "site", "Mill")), fake.calls[1])
        assertEquals(listOf(view.key, "report", "jo", "by hand", "a1"), fake.calls[3].arguments)
    }

    @Test
    fun `a fake keeps what is typed, and moves as far as it goes without rules`() = test {
        val view = sessionView { copy(problems = listOf(problem())) }
        val fake = FakeCompass(FakeState(views = mapOf(view.key to view)))
        fake.saveDraft(view.key, "site", "Mil")
        fake.saveNoteDraft(view.key, "Key at")
        assertEquals("Mil" to "Key at", fake.session(view.key).run { fields.single().draft to noteDraft })
        val set = fake.setField(view.key, "site", FieldValue.Text("Mill")).view
        assertEquals(FieldState.Provided(FieldValue.Text("Mill")) to null, set.fields.single().run { state to draft })
        assertEquals(emptyList<Any>(), set.problems)
        assertEquals(FieldState.NotProvided, fake.clearField(view.key, "site").view.fields.single().state)
        val noted = fake.note(view.key, "Key at the desk").view
        assertEquals(listOf("Key at the desk") to null, noted.run { notes.map { it.text } to noteDraft })
        val completed = fake.complete(noted).view
        assertEquals(SessionState.COMPLETED to false, completed.run { state to won })
        fake.onRun { if (it is Command.Answer) copy(visit = 2) else after(it) }
        assertEquals(2, fake.answer(view, "on").view.visit)
        assertEquals(SessionState.ENDED, fake.end(view.key, "Nobody home").view.state)
    }

    @Test
    fun `the lists of a fake are filtered, and say that there is more`() = test {
        val waiting = outboxItem()
        val fake = FakeCompass(
            FakeState(
                sessions = listOf(
                    sessionSummary(),
                    sessionSummary { copy(key = "b", state = SessionState.COMPLETED, won = true, actor = "jo", actionsPending = 1) },
                    sessionSummary { copy(key = "c", state = SessionState.DISCARDED) },
                ),
                outbox = listOf(waiting, outboxItem { copy(delivery = delivery { copy(state = DeliveryState.SENT) }) }),
            ),
        )
        suspend fun keys(filter: SessionFilter) = fake.sessions(filter).sessions.map { it.key }
        val first = sessionSummary().key
        assertEquals(listOf(first, "b"), keys(SessionFilter()))
        assertEquals(listOf("c"), keys(SessionFilter(states = listOf(SessionState.DISCARDED))))
        for (filter in listOf(SessionFilter(won = true), SessionFilter(actor = "jo"), SessionFilter(actionStatus = ActionStatus.PENDING))) {
            assertEquals(listOf("b"), keys(filter))
        }
        val started = sessionSummary().startedAt
        assertEquals(emptyList<String>(), keys(SessionFilter(startedBefore = started)))
        assertEquals(listOf(first, "b"), keys(SessionFilter(startedFrom = started, workflow = "pump-check")))
        assertEquals(emptyList<String>(), keys(SessionFilter(workflow = "another")))
        assertEquals(1 to true, fake.sessions(limit = 1).run { sessions.size to (next != null) })
        assertEquals(1 to false, fake.observeSessions(SessionFilter(won = true)).first().run { sessions.size to (next != null) })
        assertEquals(listOf(waiting), fake.outbox().items)
        assertEquals(emptyList<Any>(), fake.observeOutbox(OutboxFilter(endpoint = "billing")).first().items)
        assertEquals(1, fake.outbox(OutboxFilter(states = listOf(DeliveryState.SENT))).items.size)
    }

    @Test
    fun `a fake edits records, keeps their drafts, and starts only what is in progress`() = test {
        val view = sessionView { copy(state = SessionState.COMPLETED) }
        val field = RecordField(fieldView().definition, "arrive", FieldState.NotProvided)
        val record = sessionRecord { copy(fields = listOf(field), notes = listOf(Note(1, startedAt, text = "Key at the desk"))) }
        val fake = FakeCompass(FakeState(views = mapOf(view.key to view), records = mapOf(view.key to record)))
        fake.saveDraft(view.key, "site", "Mil")
        fake.saveNoteDraft(view.key, "Key")
        assertEquals("Mil" to "Key", fake.record(view.key).run { fields.single().draft to noteDraft })
        val mill = Change.Set(FieldValue.Text("Mill"))
        fake.edit(view.key, listOf(FieldChange("site", mill)), listOf(NoteChange(1, "Key at the door")))
        val after = fake.record(view.key)
        assertEquals(mill.toState() to null, after.fields.single().run { state to draft })
        assertEquals("Key at the door" to true, after.notes.single().run { text to edited })
        assertTrue(assertCode(ErrorCode.UNKNOWN_WORKFLOW) { fake.start("pump-check") }.detail.contains("`views`"))
        assertTrue(fake.integrationEnabled())
        fake.putEndpoint(endpointStatus().endpoint)
        fake.archiveEndpoint("office")
        assertEquals(endpointStatus().copy(archivedAt = view.startedAt), fake.endpoints().single())
    }

    @Test
    fun `a fake imports a document by its names`() = test {
        val fake = FakeCompass(FakeState(workflows = listOf(workflowSummary())))
        val document = """{"fields": [{"key": "site", "name": "Site"}], "name": "Stra\u00dfe \"3\"", "version": 7, "key": "lift"}""".toByteArray()
        val first = fake.importWorkflow(document)
        assertEquals(true to WorkflowRef("lift", "Stra\u00dfe \"3\"", 7), first.imported to first.workflow.workflow)
        assertEquals(false to first.workflow, fake.importWorkflow(document).run { imported to workflow })
        assertEquals(listOf("pump-check", "lift"), fake.workflows().map { it.workflow.key })
        val next = fake.importWorkflow("""{"key": "lift", "name": "Lift", "version": 7, "local_revision": 1}""".toByteArray())
        assertEquals(WorkflowRef("lift", "Lift", 7, 1), next.workflow.workflow)
        assertEquals(listOf("pump-check", "lift"), fake.workflows().map { it.workflow.key })
        assertTrue(fake.workflowDocument("lift").decodeToString().contains("local_revision"))
        assertEquals("pump-check", fake.importWorkflow("no document".toByteArray()).workflow.workflow.key)
    }

    @Test
    fun `a fake tells of a session that was deleted, as the core does`() = test {
        val view = sessionView()
        val record = sessionRecord { copy(key = view.key) }
        val fake = FakeCompass(FakeState(views = mapOf(view.key to view), records = mapOf(view.key to record)))
        val shown = async { runCatching { fake.observeSession(view.key).collect { } } }
        yield()
        fake.delete(view.key)
        assertEquals(ErrorCode.DELETED_SESSION, (shown.await().exceptionOrNull() as CompassException).code)
        assertCode(ErrorCode.DELETED_SESSION) { fake.record(view.key) }
        assertCode(ErrorCode.UNKNOWN_SESSION) { fake.session("another") }
    }

    @Test
    fun `a fake refuses what it does not have, as the core does`() = test {
        val (version, session) = WorkflowVersion(1) to sessionView().key
        val calls = mapOf<Pair<String, String?>, List<suspend Compass.() -> Any?>>(
            (ErrorCode.UNKNOWN_WORKFLOW to "lift") to listOf(
                { workflow("lift") }, { workflowDocument("lift") }, { retireWorkflow("lift", version) }, { forgetWorkflow("lift", version) },
            ),
            (ErrorCode.UNKNOWN_ENDPOINT to "shed") to listOf(
                { testDelivery("shed") }, { archiveEndpoint("shed") }, { setEndpointEnabled("shed", false) },
                { replaySent(ReplayFilter("shed")) }, { sendNotFired(NotFiredFilter("shed")) },
            ),
            (ErrorCode.UNKNOWN_SESSION to null) to listOf(
                { delete(session) }, { preview(session, "report") }, { saveDraft(session, "site", "M") }, { saveNoteDraft(session, "M") },
                { setField(session, "site", FieldValue.Text("M")) },
            ),
            (ErrorCode.UNKNOWN_DELIVERY to null) to listOf({ deliveryBody("msg_" + "a".repeat(26)) }),
        )
        val fake = FakeCompass()
        folder.ready().use { real ->
            for ((refusal, refused) in calls) for (call in refused) {
                assertEquals(refusal, assertCode(refusal.first) { real.call() }.run { code to place })
                assertEquals(refusal, assertCode(refusal.first) { fake.call() }.run { code to place })
            }
        }
        assertEquals(emptyList<Command>(), fake.commands)
    }

    @Test
    fun `a fake has what its lists name`() = test {
        val view = sessionView()
        val sent = delivery { copy(id = "msg_b", endpoint = "desk") }
        val fake = FakeCompass(
            FakeState(
                views = mapOf(view.key to view),
                records = mapOf(view.key to sessionRecord { copy(actions = listOf(action { copy(endpoint = "desk", deliveries = listOf(sent)) })) }),
                outbox = listOf(outboxItem()), workflows = listOf(workflowSummary()), endpoints = listOf(endpointStatus()),
                previews = mapOf("report" to MessagePreview("report", "office", "{}", "1")), bodies = mapOf("msg_c" to "{}"), inFlight = true,
            ),
        )
        assertEquals("Pump check" to 0, fake.workflow("pump-check").run { name to sections.size })
        fake.retireWorkflow("pump-check", WorkflowVersion(1))
        assertEquals(view.startedAt, fake.workflows().single().retiredAt)
        fake.forgetWorkflow("pump-check", WorkflowVersion(1))
        assertEquals("pump-check", assertCode(ErrorCode.UNKNOWN_WORKFLOW) { fake.workflow("pump-check") }.place)
        fake.setEndpointEnabled("office", false)
        fake.putEndpoint(endpointStatus().endpoint)
        assertEquals(false to "by_app", fake.endpoints().single().run { enabled to disabledReason })
        assertTrue(fake.testDelivery("office").delivered)
        // Not registered, but of a record.
        assertEquals(0 to 0, fake.replaySent(ReplayFilter("desk")).replayed to fake.sendNotFired(NotFiredFilter("desk")))
        assertEquals("{}", fake.preview(view.key, "report").body)
        assertEquals("order", assertCode(ErrorCode.UNKNOWN_ACTION) { fake.preview(view.key, "order") }.place)
        assertEquals(listOf(null, null, "{}"), listOf(delivery().id, "msg_b", "msg_c").map { fake.deliveryBody(it) })
        assertTrue(fake.abandon(view.key, "report", "jo", "by hand").inFlight)
        val noted = fake.note(view.key, "Key at the desk", "jo").view.notes.single()
        assertEquals("jo", noted.actor)
        assertEquals(ValueSource.Technician, fake.setField(view.key, "site", FieldValue.Text("Mill")).view.fields.single().source)
    }

    @Test
    fun `a value without members prints as its name`() {
        val values = listOf(FieldState.NotProvided, Change.Clear, ValueSource.Technician, Connectivity.Offline, SecretLookup.Missing, Signing.None)
        assertEquals(listOf("NotProvided", "Clear", "Technician", "Offline", "Missing", "None"), values.map { "$it" })
    }

    @Test
    fun `the values for tests of screens are complete`() = test {
        val state = FakeState(
            outbox = listOf(outboxItem { copy(delivery = delivery { copy(reason = "offline") }) }),
            sessions = listOf(sessionSummary()), workflows = listOf(workflowSummary()),
        )
        val fake = FakeCompass(state)
        assertEquals("offline", fake.outbox().items.single().delivery.reason)
        assertEquals(sessionView().key, fake.sessions().sessions.single().key)
        assertEquals("pump-check", fake.workflows().single().workflow.key)
        assertEquals("site", sessionView { copy(fields = listOf(fieldView { copy(draft = "M") })) }.fields.single().definition.key)
    }

    @Test
    fun `the core's own transport trusts the authority that a sink names`() = test {
        WebhookSink(loopbackTls()).use { office ->
            val options = CompassOptions(folder.options().path, secrets, extraRoots = listOf(office.authority!!))
            folder.ready(options, office.url).use { compass ->
                compass.completed()
                assertEquals(1, compass.flush().sent)
            }
        }
        WebhookSink().use { assertEquals(null, it.authority) }
    }

    @Test
    fun `the flows of a fake follow it, fail with it and complete when it is closed`() = test {
        val view = view()
        val fake = FakeCompass(FakeState(views = mapOf(view.key to view)))
        val seen = fake.observeSession(view.key).produceIn(this)
        assertEquals(view, seen.receive())
        fake.change { copy(views = mapOf(view.key to view.copy(actor = "kim"))) }
        assertEquals("kim", seen.receive().actor)
        seen.cancel()

        assertCode(ErrorCode.UNKNOWN_SESSION) { fake.observeSession("another").first() }
        val totals = async { fake.observeTotals().toList() }
        yield()
        fake.close()
        totals.await()
        assertCode(ErrorCode.CLOSED) { fake.session(view.key) }

        val failing = FakeCompass(FakeState(failure = CompassException(ErrorCode.DISK_FULL, retryable = true)))
        assertTrue(assertCode(ErrorCode.DISK_FULL) { failing.workflows() }.retryable)
        assertCode(ErrorCode.DISK_FULL) { failing.observeTotals().collect() }
    }

    @Test
    fun `a manual clock gives the same keys in every run`() = test {
        suspend fun keys() = folder.ready(folder.options(clock = ManualClock())).use { compass ->
            compass.completed() to compass.outbox().items.single().delivery.id
        }
        assertEquals(keys(), keys())
        val clock = ManualClock()
        assertEquals(Instant.parse("2027-01-15T08:00:00Z"), clock.now)
        clock.advance(1.hours)
        assertEquals(Instant.parse("2027-01-15T09:00:00Z"), clock.now)
        clock.setWall(Instant.parse("2026-11-23T18:00:00Z"))
        assertEquals(Instant.parse("2026-11-23T18:00:00Z"), clock.now)
    }

    @Test
    fun `the core's own transport trusts only a root that it is given`() = test {
        val certificate = Certificate(folder)
        WebhookSink(certificate.server) { SinkAnswer(200) }.use { office ->
            assertTrue(office.url.startsWith("https://"))
            suspend fun sent(roots: List<String>) =
                folder.ready(CompassOptions(folder.options().path, secrets, extraRoots = roots), office.url).use { compass ->
                    compass.completed()
                    compass.flush().sent
                }
            assertEquals(0, sent(emptyList()))
            assertEquals(1, sent(listOf(certificate.pem)))
            assertTrue(office.await().isSignedWith(SECRET))
        }
    }

    @Test
    fun `a sink without webhooks throws an error that says so`() {
        WebhookSink().use { office -> assertThrows(AssertionError::class.java) { office.await(1.milliseconds) } }
    }

    @Test
    fun `the platform's transport accepts a certificate for loopback only if it trusts it`() = test {
        val tls = loopbackTls()
        WebhookSink(tls).use { office ->
            suspend fun sent(transport: HttpTransport) = folder.ready(folder.options(transport = transport), office.url).use { compass ->
                compass.completed()
                compass.flush().sent
            }
            assertEquals(0, sent(HttpTransport()))
            assertEquals(1, sent(HttpTransport { url -> url.openConnection().also { (it as HttpsURLConnection).sslSocketFactory = tls.socketFactory } }))
            assertTrue(office.received.single().isSignedWith(SECRET))
        }
    }

    @Test
    fun `printing the answer of a store of secrets shows no secret`() {
        val found: SecretLookup = SecretLookup.Found(current = "whsec_now", previous = "whsec_before")
        assertEquals("Found(…)", "$found")
    }

    @Test
    fun `a scripted transport answers in turn and keeps the requests, and secrets in memory sign them`() = test {
        val transport = ScriptedTransport { number, _ -> TransportOutcome.Answered(TransportResponse(if (number == 1) 503 else 202)) }
        val clock = ManualClock()
        folder.ready(folder.options(MemorySecretStore(mapOf("office-secret" to SECRET)), transport, clock = clock)).use { compass ->
            compass.completed()
            assertEquals(0, compass.flush().sent)
            clock.advance(1.hours)
            assertEquals(1, compass.flush().sent)
        }
        assertEquals(listOf("1", "2"), transport.requests.map { it.header("compass-attempt") })
        assertTrue(transport.requests.all { it.header("webhook-signature")?.startsWith("v1,") == true })
        transport.cancel(7)
        assertEquals(listOf(7L), transport.cancelled)
    }

    @Test
    fun `a secret in memory can be set and removed`() {
        val store = MemorySecretStore()
        assertEquals(SecretLookup.Missing, store.get("office", "https://office.test"))
        store.set("office", SECRET)
        assertEquals(SecretLookup.Found(SECRET, null), store.get("office", "https://office.test"))
        store.remove("office")
        assertEquals(SecretLookup.Missing, store.get("office", "https://office.test"))
    }

    @Test
    fun `a secret in memory is rotated as one of a phone`() = test {
        val next = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="
        val transport = ScriptedTransport()
        val store = MemorySecretStore(mapOf("office-secret" to SECRET))
        folder.ready(folder.options(store, transport)).use { compass ->
            suspend fun signatures(): Int {
                compass.secretsChanged()
                compass.testDelivery("office")
                return transport.requests.last().header("webhook-signature")!!.split(' ').size
            }
            store.set("office-secret", next)
            store.set("office-secret", next)
            assertEquals(2, signatures())
            store.endRotation("office-secret")
            assertEquals(1, signatures())
        }
        store.set("token", "mistyped")
        store.set("token", SECRET)
        assertEquals(SecretLookup.Found(SECRET, null), store.get("token", "https://office.test"))
    }

    @Test
    fun `documents are checked and changed without a database`() {
        val document = PUMP_CHECK.toByteArray()
        assertEquals(emptyList<Any>(), WorkflowDocument.lint(document, listOf("office")))
        assertEquals(1, WorkflowDocument.lint(document, listOf("elsewhere")).size)
        val changed = WorkflowDocument.removeAction(document, "done", "report")
        assertTrue(changed.document.decodeToString().contains("local_revision"))
        assertTrue(changed.findings.isEmpty())
    }

    @Test
    fun `the library has a version`() {
        assertTrue(Regex("\\d+\\.\\d+\\.\\d+").matches(Compass.version()))
    }
}
