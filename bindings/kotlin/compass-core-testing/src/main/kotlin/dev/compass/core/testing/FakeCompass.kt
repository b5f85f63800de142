package dev.compass.core.testing

import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.DiscardUndelivered
import dev.compass.core.ErrorCode
import dev.compass.core.Hold
import dev.compass.core.model.Applied
import dev.compass.core.model.Attention
import dev.compass.core.model.CheckReport
import dev.compass.core.model.Command
import dev.compass.core.model.CommandOutcome
import dev.compass.core.model.Connectivity
import dev.compass.core.model.DeleteReport
import dev.compass.core.model.DeliveryId
import dev.compass.core.model.Endpoint
import dev.compass.core.model.EndpointStatus
import dev.compass.core.model.Erased
import dev.compass.core.model.FlushEnd
import dev.compass.core.model.Finding
import dev.compass.core.model.FlushReport
import dev.compass.core.model.ImportOutcome
import dev.compass.core.model.MessagePreview
import dev.compass.core.model.NextDue
import dev.compass.core.model.NotFiredFilter
import dev.compass.core.model.OutboxFilter
import dev.compass.core.model.OutboxItem
import dev.compass.core.model.OutboxPage
import dev.compass.core.model.OutboxTotals
import dev.compass.core.model.PurgeReport
import dev.compass.core.model.RecordOutcome
import dev.compass.core.model.RedactBodies
import dev.compass.core.model.RedactOutcome
import dev.compass.core.model.RedactPending
import dev.compass.core.model.RedactionTarget
import dev.compass.core.model.ReplayFilter
import dev.compass.core.model.ReplayReport
import dev.compass.core.model.SessionFilter
import dev.compass.core.model.SessionKey
import dev.compass.core.model.SessionPage
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionState
import dev.compass.core.model.SessionSummary
import dev.compass.core.model.SessionView
import dev.compass.core.model.Start
import dev.compass.core.model.TestDelivery
import dev.compass.core.model.Totals
import dev.compass.core.model.Workflow
import dev.compass.core.model.WorkflowSummary
import dev.compass.core.model.WorkflowVersion
import java.time.Instant
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.takeWhile
import kotlinx.coroutines.flow.update

/**
 * What [FakeCompass] shows. Immutable: change it with `copy`.
 *
 * ```kotlin
 * compass.change { copy(views = views + (view.key to view)) }
 * ```
 */
public data class FakeState(
    /** The results of `session`. */
    val views: Map<SessionKey, SessionView> = emptyMap(),
    /** The results of `record`. */
    val records: Map<SessionKey, SessionRecord> = emptyMap(),
    /** The list of sessions; filters take of it what they name, but nothing is searched for text. */
    val sessions: List<SessionSummary> = emptyList(),
    /** The list of workflows; imported ones are added. */
    val workflows: List<WorkflowSummary> = emptyList(),
    /** Workflows by key, the same for every version; one without sections for the others of [workflows]. */
    val workflowsByKey: Map<String, Workflow> = emptyMap(),
    /** The outbox; filters take of it what they name. */
    val outbox: List<OutboxItem> = emptyList(),
    /** The outbox in numbers. */
    val outboxTotals: OutboxTotals = OutboxTotals(),
    /** Totals over the sessions. */
    val totals: Totals = Totals(),
    /** The endpoints. */
    val endpoints: List<EndpointStatus> = emptyList(),
    /** Whether the integration is on. */
    val integrationEnabled: Boolean = true,
    /** The result of `nextDue`. */
    val nextDue: NextDue = NextDue(null, null, null, false),
    /** Every call throws this while it is set, and flows end, as if the database were gone. */
    val failure: CompassException? = null,
    /** The documents that were imported, by the key of the workflow. */
    val documents: Map<String, ByteArray> = emptyMap(),
    /** The findings about every document. */
    val findings: List<Finding> = emptyList(),
    /** The result of a test message. */
    val testDelivery: TestDelivery = TestDelivery(true, 202, "sent", 0L),
    /** The messages that actions would send, by the key of the action; `unknown_action` for the others. */
    val previews: Map<String, MessagePreview> = emptyMap(),
    /** The bodies of messages, by their id; none for the others of [outbox] and [records]. */
    val bodies: Map<DeliveryId, String> = emptyMap(),
    /** Whether a message is in flight when it is abandoned. */
    val inFlight: Boolean = false,
)

/**
 * A call that a [FakeCompass] got.
 *
 * ```kotlin
 * assertEquals(FakeCall("saveDraft", listOf(view.key, "site", "Mill")), compass.calls.last())
 * ```
 *
 * @property name of the function of `Compass`.
 * @property arguments in their order.
 */
public data class FakeCall(public val name: String, public val arguments: List<Any?> = emptyList())

/**
 * A handle without a core, for previews and for tests of an app's own models: it shows the contents that it is given, and keeps the calls
 * that it gets.
 *
 * It has no rules: it moves its view as far as that is possible without them ([after]), keeps drafts, filters lists and edits
 * records. What it does not have, it refuses as the core does: a session, a workflow, an endpoint. A test that needs rules uses a real handle
 * and a temporary folder.
 *
 * ```kotlin
 * val view = sessionView()
 * val compass = FakeCompass(FakeState(views = mapOf(view.key to view)))
 * compass.refuseNext(CompassException(ErrorCode.FIELD_PROBLEMS, problems = listOf(problem())), of = "answer")
 * screen.tap("Go on")
 * assertEquals(listOf(problem()), screen.problems)
 * ```
 */
public open class FakeCompass(state: FakeState = FakeState()) : Compass {
    private val state = MutableStateFlow(state)
    private val closed = MutableStateFlow(false)
    private val attentions = MutableSharedFlow<Attention>(extraBufferCapacity = 1000, onBufferOverflow = BufferOverflow.DROP_OLDEST)
    private val asked = CopyOnWriteArrayList<Command>()
    private val called = CopyOnWriteArrayList<FakeCall>()
    private val refusals = CopyOnWriteArrayList<Pair<String, CompassException>>()
    private val deleted = CopyOnWriteArrayList<SessionKey>()

    @Volatile
    private var moves: SessionView.(Command) -> SessionView = { after(it) }

    /** What it shows now. */
    public val current: FakeState get() = state.value

    /** Every call but `close`, `shutDown` and the flows, in order, refused ones included. */
    public val calls: List<FakeCall> get() = called

    /** Every command of `run` that was not refused, in order. */
    public val commands: List<Command> get() = asked

    /** How often `flush` was called. */
    @Volatile
    public var flushes: Int = 0
        private set

    /** How many of those were urgent. */
    @Volatile
    public var urgentFlushes: Int = 0
        private set

    /** What the app has reported of the network. */
    @Volatile
    public var connectivity: Connectivity = Connectivity.Unknown
        private set

    /** How many holds are not released. */
    public val holds: Int get() = held.value
    private val held = MutableStateFlow(0)

    /** Changes what it shows; the flows emit it. */
    public fun change(change: FakeState.() -> FakeState) {
        state.update(change)
    }

    /**
     * The next call of this name, as in `"saveDraft"`, is refused with [failure] and changes nothing; the flows go on. What goes through `run`
     * may also be named by its command: `"setFields"` (also for `setField`, `clearField` and `markNotApplicable`), `"answer"`, `"back"`,
     * `"complete"`, …
     *
     * @throws IllegalArgumentException when no call and no command has this name: the refusal would never happen.
     */
    public fun refuseNext(failure: CompassException, of: String) {
        require(of in callsAndCommands) { "no call and no command is named `$of`; there are ${callsAndCommands.joinToString()}" }
        refusals += of to failure
    }

    /** What each command of `run` does to the view, which the flows then emit; by default [after]. */
    public fun onRun(change: SessionView.(Command) -> SessionView) {
        moves = change
    }

    private fun refusal(name: String): CompassException? = refusals.firstOrNull { it.first == name }?.takeIf(refusals::remove)?.second

    private fun <T> call(name: String, vararg arguments: Any?, read: FakeState.() -> T): T {
        if (closed.value) throw CompassException(ErrorCode.CLOSED, detail = "the handle is closed")
        called += FakeCall(name, arguments.toList())
        refusal(name)?.let { throw it }
        return state.value.run {
            failure?.let { throw it }
            read()
        }
    }

    private fun <T> watch(read: FakeState.() -> T): Flow<T> =
        combine(state, closed, ::Pair).takeWhile { (_, closed) -> !closed }.map { (shown, _) ->
            shown.failure?.let { throw it }
            shown.read()
        }.distinctUntilChanged()

    private fun FakeState.view(session: SessionKey) = views[session] ?: throw missing(session)

    private fun FakeState.recordOf(session: SessionKey) = records[session] ?: throw missing(session)

    private fun missing(session: SessionKey) =
        unknown(if (session in deleted) ErrorCode.DELETED_SESSION else ErrorCode.UNKNOWN_SESSION)

    private fun FakeState.mustHave(session: SessionKey) {
        if (session !in views && session !in records && sessions.none { it.key == session }) throw missing(session)
    }

    private fun FakeState.mustHave(key: String, version: WorkflowVersion) {
        if (workflows.none { it.workflow.isOf(key, version) }) throw unknown(ErrorCode.UNKNOWN_WORKFLOW, key)
    }

    private fun FakeState.mustHaveEndpoint(key: String) {
        if (endpoints.none { it.endpoint.key == key }) throw unknown(ErrorCode.UNKNOWN_ENDPOINT, key)
    }

    // As the core: an endpoint that is not registered may have messages or actions.
    private fun FakeState.mustName(key: String) {
        val named = outbox.any { it.delivery.endpoint == key } || records.values.any { record -> record.actions.any { it.endpoint == key } }
        if (!named) mustHaveEndpoint(key)
    }

    private fun FakeState.recorded(session: SessionKey) = RecordOutcome(Applied.YES, inFlight, recordOf(session))

    private fun FakeState.sessionPage(filter: SessionFilter, limit: Int): SessionPage {
        val found = sessions.filter { it.isIn(filter) }
        return SessionPage(found.take(limit), next = MORE.takeIf { found.size > limit })
    }

    private fun FakeState.outboxPage(filter: OutboxFilter, limit: Int): OutboxPage {
        val found = outbox.filter { it.isIn(filter) }
        return OutboxPage(found.take(limit), next = MORE.takeIf { found.size > limit })
    }

    private fun unknown(code: String, place: String? = null) = CompassException(code, place = place, detail = "the fake has none")

    /** Gives the first view in progress of the workflow. */
    override suspend fun start(start: Start): CommandOutcome = call("start", start) {
        val view = views.values.firstOrNull { it.workflow.key == start.workflow && it.state == SessionState.IN_PROGRESS }
            ?: throw CompassException(
                ErrorCode.UNKNOWN_WORKFLOW, place = start.workflow,
                detail = "the fake has no session in progress of workflow `${start.workflow}`: add its view to `views`",
            )
        CommandOutcome(Applied.YES, view)
    }

    /** Keeps the commands, and returns the view as [onRun] makes it. */
    override suspend fun run(
        session: SessionKey,
        commands: List<Command>,
        actor: String?,
        commandId: String?,
    ): CommandOutcome = call("run", session, commands, actor, commandId) {
        for (command in commands) refusal(command.name)?.let { throw it }
        val view = commands.fold(view(session)) { view, command -> view.moves(command).notedBy(actor, since = view) }
        asked += commands
        change { copy(views = views + (session to view), records = records.with(session) { commands.fold(this, SessionRecord::after) }) }
        CommandOutcome(Applied.YES, view)
    }

    private val Command.name get() = javaClass.commandName

    /** Adds a workflow that can be started, with the key, name and version of the document, in the place of other versions. */
    override suspend fun importWorkflow(document: ByteArray): ImportOutcome = call("importWorkflow", document) {
        val named = nameOf(document)
        val summary = workflows.firstOrNull { it.workflow == named } ?: workflowSummary { copy(workflow = named) }
        val same = documents[named.key].contentEquals(document)
        change {
            copy(workflows = workflows.filter { it.workflow.key != named.key } + summary, documents = documents + (named.key to document))
        }
        ImportOutcome(!same, summary)
    }

    override suspend fun workflows(): List<WorkflowSummary> = call("workflows") { workflows }

    override suspend fun workflow(key: String, version: WorkflowVersion?): Workflow =
        call("workflow", key, version) {
            workflowsByKey[key] ?: workflows.firstOrNull { it.workflow.key == key }?.workflow?.withoutSections()
                ?: throw unknown(ErrorCode.UNKNOWN_WORKFLOW, key)
        }

    override suspend fun workflowDocument(key: String, version: WorkflowVersion?): ByteArray =
        call("workflowDocument", key, version) { documents[key] ?: throw unknown(ErrorCode.UNKNOWN_WORKFLOW, key) }

    override suspend fun lintWorkflow(document: ByteArray): List<Finding> = call("lintWorkflow", document) { findings }

    override suspend fun retireWorkflow(key: String, version: WorkflowVersion, retired: Boolean): Unit =
        call("retireWorkflow", key, version, retired) {
            mustHave(key, version)
            val since = at.takeIf { retired }
            change { copy(workflows = workflows.map { if (it.workflow.isOf(key, version)) it.copy(retiredAt = since) else it }) }
        }

    override suspend fun forgetWorkflow(key: String, version: WorkflowVersion): Unit = call("forgetWorkflow", key, version) {
        mustHave(key, version)
        change {
            val left = workflows.filterNot { it.workflow.isOf(key, version) }
            if (left.any { it.workflow.key == key }) copy(workflows = left)
            else copy(workflows = left, workflowsByKey = workflowsByKey - key, documents = documents - key)
        }
    }

    override suspend fun saveDraft(session: SessionKey, field: String, text: String): Unit =
        call("saveDraft", session, field, text) {
            if (session !in records) view(session)
            change { copy(views = views.with(session) { drafted(field, text) }, records = records.with(session) { drafted(field, text) }) }
        }

    override suspend fun saveNoteDraft(session: SessionKey, text: String): Unit =
        call("saveNoteDraft", session, text) {
            if (session !in records) view(session)
            val draft = text.ifEmpty { null }
            change { copy(views = views.with(session) { copy(noteDraft = draft) }, records = records.with(session) { copy(noteDraft = draft) }) }
        }

    private fun <T> Map<SessionKey, T>.with(session: SessionKey, change: T.() -> T): Map<SessionKey, T> =
        get(session)?.let { this + (session to it.change()) } ?: this

    override suspend fun session(session: SessionKey): SessionView = call("session", session) { view(session) }

    override suspend fun sessions(filter: SessionFilter, page: String?, limit: Int): SessionPage =
        call("sessions", filter, page, limit) { sessionPage(filter, limit) }

    override suspend fun record(session: SessionKey): SessionRecord = call("record", session) { recordOf(session) }

    override suspend fun totals(): Totals = call("totals") { totals }

    /** Removes the session: calls and flows are refused with [ErrorCode.DELETED_SESSION] from then on. */
    override suspend fun delete(session: SessionKey): DeleteReport {
        call("delete", session) { mustHave(session) }
        deleted += session
        change { copy(views = views - session, records = records - session, sessions = sessions.filter { it.key != session }) }
        return DeleteReport(emptyList(), Erased.NOW)
    }

    override suspend fun files(): List<String> = call("files") { emptyList() }

    override suspend fun purge(olderThan: Duration): PurgeReport =
        call("purge", olderThan) { PurgeReport(erased = Erased.NOW) }

    override suspend fun purgeAllBefore(time: Instant, actor: String): PurgeReport =
        call("purgeAllBefore", time, actor) { PurgeReport(erased = Erased.NOW) }

    override suspend fun setIntegrationEnabled(enabled: Boolean) {
        call("setIntegrationEnabled", enabled) { }
        change { copy(integrationEnabled = enabled) }
    }

    override suspend fun integrationEnabled(): Boolean = call("integrationEnabled") { integrationEnabled }

    override suspend fun putEndpoint(endpoint: Endpoint) {
        call("putEndpoint", endpoint) { }
        change {
            val (same, others) = endpoints.partition { it.endpoint.key == endpoint.key }
            copy(endpoints = others + (same.firstOrNull()?.copy(endpoint = endpoint, archivedAt = null) ?: EndpointStatus(endpoint, enabled = true)))
        }
    }

    override suspend fun archiveEndpoint(key: String) {
        call("archiveEndpoint", key) { mustHaveEndpoint(key) }
        change { copy(endpoints = endpoints.map { if (it.endpoint.key == key) it.copy(archivedAt = at) else it }) }
    }

    override suspend fun setEndpointEnabled(key: String, enabled: Boolean) {
        call("setEndpointEnabled", key, enabled) { mustHaveEndpoint(key) }
        val why = "by_app".takeUnless { enabled }
        change { copy(endpoints = endpoints.map { if (it.endpoint.key == key) it.copy(enabled = enabled, disabledReason = why) else it }) }
    }

    override suspend fun endpoints(): List<EndpointStatus> = call("endpoints") { endpoints }

    override suspend fun testDelivery(endpoint: String): TestDelivery =
        call("testDelivery", endpoint) {
            mustHaveEndpoint(endpoint)
            testDelivery
        }

    override suspend fun send(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        call("send", session, action, actor, commandId) { recorded(session) }

    override suspend fun sendCorrected(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        call("sendCorrected", session, action, actor, commandId) { recorded(session) }

    override suspend fun abandon(
        session: SessionKey,
        action: String,
        actor: String,
        reason: String,
        commandId: String,
    ): RecordOutcome =
        call("abandon", session, action, actor, reason, commandId) { recorded(session) }

    override suspend fun abandonSession(session: SessionKey, actor: String, reason: String, commandId: String): RecordOutcome =
        call("abandonSession", session, actor, reason, commandId) { recorded(session) }

    override suspend fun redact(
        session: SessionKey,
        target: RedactionTarget,
        actor: String,
        reason: String,
        pending: RedactPending,
        bodies: RedactBodies,
        commandId: String,
    ): RedactOutcome =
        call("redact", session, target, actor, reason, pending, bodies, commandId) {
            RedactOutcome(Applied.YES, inFlight, emptyList(), emptyList(), Erased.NOW, recordOf(session))
        }

    override suspend fun sendFailedAgain(actor: String?): Int = call("sendFailedAgain", actor) { 0 }
    override suspend fun sendNotFired(filter: NotFiredFilter, actor: String?): Int = call("sendNotFired", filter, actor) {
        filter.endpoint?.let { mustName(it) }
        0
    }

    override suspend fun replay(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        call("replay", session, action, actor, commandId) { recorded(session) }

    override suspend fun replaySession(session: SessionKey, actor: String?, commandId: String): RecordOutcome =
        call("replaySession", session, actor, commandId) { recorded(session) }

    override suspend fun replaySent(filter: ReplayFilter, actor: String?, page: String?): ReplayReport =
        call("replaySent", filter, actor, page) {
            mustName(filter.endpoint)
            ReplayReport()
        }

    override suspend fun outbox(filter: OutboxFilter, page: String?, limit: Int): OutboxPage =
        call("outbox", filter, page, limit) { outboxPage(filter, limit) }

    override suspend fun outboxTotals(): OutboxTotals = call("outboxTotals") { outboxTotals }

    override suspend fun preview(session: SessionKey, action: String): MessagePreview =
        call("preview", session, action) {
            mustHave(session)
            previews[action] ?: throw unknown(ErrorCode.UNKNOWN_ACTION, action)
        }

    override suspend fun deliveryBody(id: DeliveryId): String? = call("deliveryBody", id) {
        val ofRecords = records.values.flatMap { it.actions }.flatMap { it.deliveries }
        if (id !in bodies && (outbox.map { it.delivery } + ofRecords).none { it.id == id }) throw unknown(ErrorCode.UNKNOWN_DELIVERY)
        bodies[id]
    }

    override suspend fun flush(deadline: Duration, urgent: Boolean): FlushReport = call("flush", deadline, urgent) {
        flushes++
        if (urgent) urgentFlushes++
        FlushReport(FlushEnd.DRAINED, pending = outboxTotals.pending)
    }

    override suspend fun startDelivery(): Unit = call("startDelivery") { }

    override suspend fun stopDelivery(): Unit = call("stopDelivery") { }

    override suspend fun nextDue(): NextDue = call("nextDue") { nextDue }

    override suspend fun setConnectivity(connectivity: Connectivity) {
        this.connectivity = call("setConnectivity", connectivity) { connectivity }
    }

    override suspend fun secretsChanged(): Unit = call("secretsChanged") { }

    override suspend fun resume(): Hold = call("resume") {
        held.update { it + 1 }
        FakeHold()
    }

    override suspend fun quiesce(): Unit = call("quiesce") { }

    override suspend fun refresh(): Boolean = call("refresh") { false }

    override suspend fun backup(to: String): Unit = call("backup", to) { }

    override suspend fun check(): CheckReport = call("check") { CheckReport(sessions.size.toLong(), emptyList()) }

    /** Gives [work] the name of a file that does not exist. */
    override suspend fun <T> whileClosed(work: suspend (path: String) -> T): T {
        call("whileClosed") { }
        return work("/fake/compass.db")
    }

    /** Keeps the call, and shows what it has shown before. */
    override suspend fun restore(from: String, discardUndelivered: DiscardUndelivered?): Unit =
        call("restore", from, discardUndelivered) { }

    /** Keeps the call, and shows what it has shown before. */
    override suspend fun erase(discardUndelivered: DiscardUndelivered?): Unit = call("erase", discardUndelivered) { }

    override suspend fun shutDown(): Unit = close()

    override fun close() {
        closed.value = true
    }

    override fun observeSession(session: SessionKey): Flow<SessionView> = watch { view(session) }

    override fun observeSessions(filter: SessionFilter, limit: Int): Flow<SessionPage> = watch { sessionPage(filter, limit) }

    override fun observeRecord(session: SessionKey): Flow<SessionRecord> = watch { recordOf(session) }

    override fun observeTotals(): Flow<Totals> = watch { totals }

    override fun observeOutbox(filter: OutboxFilter, limit: Int): Flow<OutboxPage> = watch { outboxPage(filter, limit) }

    override fun observeOutboxTotals(): Flow<OutboxTotals> = watch { outboxTotals }

    override fun observeEndpoints(): Flow<List<EndpointStatus>> = watch { endpoints }

    override fun observeIntegration(): Flow<Boolean> = watch { integrationEnabled }

    override fun observeWorkflows(): Flow<List<WorkflowSummary>> = watch { workflows }

    override fun observeNextDue(): Flow<NextDue> = watch { nextDue }
    override fun observeAttention(): Flow<Attention> = attentions

    /** Sends this to the collectors of [observeAttention]. */
    public fun tell(attention: Attention) {
        attentions.tryEmit(attention)
    }

    private inner class FakeHold : Hold {
        private val released = MutableStateFlow(false)

        override suspend fun release() = close()

        override fun close() {
            if (released.compareAndSet(expect = false, update = true)) held.update { it - 1 }
        }
    }
}

/** That there is another page; the fake has none. */
private const val MORE = "more"

private val Class<*>.commandName get() = simpleName.replaceFirstChar { it.lowercase() }

/** What [FakeCompass.refuseNext] may name. The compiler adds to the name of a function with a `Duration`. */
private val callsAndCommands: Set<String> = buildSet {
    Compass::class.java.methods.filterNot { it.isSynthetic }.mapTo(this) { it.name.substringBefore('-') }
    Command::class.java.classes.filter { Command::class.java.isAssignableFrom(it) }.mapTo(this) { it.commandName }
    removeIf { it == "close" || it == "shutDown" || it.startsWith("observe") }
}.toSortedSet()
