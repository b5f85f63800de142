package dev.compass.core.testing

import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.Hold
import dev.compass.core.model.Applied
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
import dev.compass.core.model.SessionFilter
import dev.compass.core.model.SessionKey
import dev.compass.core.model.SessionPage
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionSummary
import dev.compass.core.model.SessionTotals
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
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.takeWhile
import kotlinx.coroutines.flow.update

/**
 * What [FakeCompass] shows. Immutable: change it by a copy.
 *
 * ```kotlin
 * compass.show { copy(views = views + (view.key to view)) }
 * ```
 */
public data class FakeState(
    /** Answers of `session`. */
    val views: Map<SessionKey, SessionView> = emptyMap(),
    /** Answers of `record`. */
    val records: Map<SessionKey, SessionRecord> = emptyMap(),
    /** The list of sessions; filters and pages are for a test of the core. */
    val sessions: List<SessionSummary> = emptyList(),
    /** The list of workflows. */
    val workflows: List<WorkflowSummary> = emptyList(),
    /** Workflows by key. */
    val workflow: Map<String, Workflow> = emptyMap(),
    /** The outbox; filters and pages are for a test of the core. */
    val outbox: List<OutboxItem> = emptyList(),
    /** Its numbers. */
    val outboxTotals: OutboxTotals = OutboxTotals(0uL, 0uL, null, 0uL, 0uL),
    /** Totals over the sessions. */
    val totals: Totals = Totals(SessionTotals(0uL, 0uL, 0uL, 0uL, 0uL), emptyList(), emptyList(), 0uL, 0uL, 0uL, 0uL),
    /** The endpoints. */
    val endpoints: List<EndpointStatus> = emptyList(),
    /** Whether the integration is on. */
    val integrationEnabled: Boolean = false,
    /** When there will be something to deliver. */
    val nextDue: NextDue = NextDue(null, null, null, false),
    /** Every call fails with this, and the flows end with it, until it is null again. */
    val failure: CompassException? = null,
)

/**
 * A handle without a core, for tests of an app's screens: it shows what it is told to, and keeps what was asked of it.
 *
 * It has no rules. What a command does is the core's to say: a test of that uses a real handle and a temporary folder.
 *
 * ```kotlin
 * val compass = FakeCompass(FakeState(views = mapOf(view.key to view)))
 * screen(compass).tap("Go on")
 * assertEquals(listOf(Command.Answer(view.visit, "on")), compass.commands)
 * ```
 */
public open class FakeCompass(state: FakeState = FakeState()) : Compass {
    private val state = MutableStateFlow(state)
    private val closed = MutableStateFlow(false)
    private val asked = CopyOnWriteArrayList<Command>()

    /** What it shows now. */
    public val shown: FakeState get() = state.value

    /** Every command of `run`, in order. */
    public val commands: List<Command> get() = asked

    /** How often `flush` was called. */
    @Volatile
    public var flushes: Int = 0
        private set

    /** How many of those a person asked for. */
    @Volatile
    public var urgentFlushes: Int = 0
        private set

    /** What the app said of the network. */
    @Volatile
    public var connectivity: Connectivity = Connectivity.Unknown
        private set

    /** How many holds are not released. */
    public val holds: Int get() = held.value
    private val held = MutableStateFlow(0)

    /** Shows something else from now on; the flows tell. */
    public fun show(change: FakeState.() -> FakeState) {
        state.update(change)
    }

    private fun <T> answer(read: FakeState.() -> T): T {
        if (closed.value) throw CompassException(ErrorCode.CLOSED, detail = "the handle is closed")
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

    private fun FakeState.view(session: SessionKey) = views[session] ?: throw unknown(ErrorCode.UNKNOWN_SESSION)

    private fun FakeState.recordOf(session: SessionKey) = records[session] ?: throw unknown(ErrorCode.UNKNOWN_SESSION)

    private fun unknown(code: String) = CompassException(code, detail = "the fake was not given it")

    /** Unless overridden: the first view there is of the workflow. */
    override suspend fun start(start: Start): CommandOutcome = answer {
        val view = views.values.firstOrNull { it.workflow.key == start.workflow } ?: throw unknown(ErrorCode.UNKNOWN_WORKFLOW)
        CommandOutcome(Applied.YES, view)
    }

    /** Unless overridden: keeps the commands, and answers with the view as it is. */
    override suspend fun run(
        session: SessionKey,
        commands: List<Command>,
        actor: String?,
        commandId: String?,
    ): CommandOutcome = answer {
        val outcome = CommandOutcome(Applied.YES, view(session))
        asked += commands
        outcome
    }

    override suspend fun importWorkflow(document: ByteArray): ImportOutcome =
        answer { ImportOutcome(false, workflows.firstOrNull() ?: throw unknown(ErrorCode.INVALID_WORKFLOW)) }

    override suspend fun workflows(): List<WorkflowSummary> = answer { workflows }

    override suspend fun workflow(key: String, version: WorkflowVersion?): Workflow =
        answer { workflow[key] ?: throw unknown(ErrorCode.UNKNOWN_WORKFLOW) }

    override suspend fun workflowDocument(key: String, version: WorkflowVersion?): ByteArray =
        answer { throw unknown(ErrorCode.UNKNOWN_WORKFLOW) }

    override suspend fun lintWorkflow(document: ByteArray): List<Finding> = answer { emptyList() }

    override suspend fun retireWorkflow(key: String, version: WorkflowVersion, retired: Boolean): Unit = answer { }

    override suspend fun forgetWorkflow(key: String, version: WorkflowVersion): Unit = answer { }

    override suspend fun saveDraft(session: SessionKey, field: String, text: String): Unit = answer { view(session) }

    override suspend fun saveNoteDraft(session: SessionKey, text: String): Unit = answer { view(session) }

    override suspend fun session(session: SessionKey): SessionView = answer { view(session) }

    override suspend fun sessions(filter: SessionFilter, page: String?, limit: Int): SessionPage =
        answer { SessionPage(sessions.take(limit), null, 0uL) }

    override suspend fun record(session: SessionKey): SessionRecord = answer { recordOf(session) }

    override suspend fun totals(): Totals = answer { totals }

    override suspend fun delete(session: SessionKey): DeleteReport {
        show { copy(views = views - session, records = records - session, sessions = sessions.filter { it.key != session }) }
        return DeleteReport(emptyList(), Erased.NOW)
    }

    override suspend fun files(): List<String> = answer { emptyList() }

    override suspend fun purge(olderThan: Duration): PurgeReport = answer { PurgeReport(0uL, 0uL, 0uL, 0uL, emptyList(), Erased.NOW) }

    override suspend fun purgeAllBefore(time: Instant, actor: String): PurgeReport = answer { PurgeReport(0uL, 0uL, 0uL, 0uL, emptyList(), Erased.NOW) }

    override suspend fun setIntegrationEnabled(enabled: Boolean): Unit = show { copy(integrationEnabled = enabled) }

    override suspend fun integrationEnabled(): Boolean = answer { integrationEnabled }

    override suspend fun putEndpoint(endpoint: Endpoint): Unit = show {
        val status = EndpointStatus(endpoint, true, null, null, null, null, null, 0u, null, 0uL)
        copy(endpoints = endpoints.filter { it.endpoint.key != endpoint.key } + status)
    }

    override suspend fun archiveEndpoint(key: String): Unit = show { copy(endpoints = endpoints.filter { it.endpoint.key != key }) }

    override suspend fun setEndpointEnabled(key: String, enabled: Boolean): Unit =
        show { copy(endpoints = endpoints.map { if (it.endpoint.key == key) it.copy(enabled = enabled) else it }) }

    override suspend fun endpoints(): List<EndpointStatus> = answer { endpoints }

    override suspend fun testDelivery(endpoint: String): TestDelivery = answer { TestDelivery(true, 202u, "sent", 0uL) }

    override suspend fun send(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        answer { RecordOutcome(Applied.YES, inFlight = false, recordOf(session)) }

    override suspend fun sendCorrected(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        send(session, action, actor, commandId)

    override suspend fun abandon(
        session: SessionKey,
        action: String,
        actor: String,
        reason: String,
        commandId: String,
    ): RecordOutcome = send(session, action, actor, commandId)

    override suspend fun abandonSession(session: SessionKey, actor: String, reason: String, commandId: String): RecordOutcome =
        answer { RecordOutcome(Applied.YES, inFlight = false, recordOf(session)) }

    override suspend fun redact(
        session: SessionKey,
        target: RedactionTarget,
        actor: String,
        reason: String,
        pending: RedactPending,
        bodies: RedactBodies,
        commandId: String,
    ): RedactOutcome =
        answer { RedactOutcome(Applied.YES, inFlight = false, emptyList(), emptyList(), Erased.NOW, recordOf(session)) }

    override suspend fun sendFailedAgain(actor: String?): Int = answer { 0 }

    override suspend fun outbox(filter: OutboxFilter, page: String?, limit: Int): OutboxPage =
        answer { OutboxPage(outbox.take(limit), null) }

    override suspend fun outboxTotals(): OutboxTotals = answer { outboxTotals }

    override suspend fun preview(session: SessionKey, action: String): MessagePreview = answer { throw unknown(ErrorCode.UNKNOWN_ACTION) }

    override suspend fun deliveryBody(id: DeliveryId): String? = answer { null }

    override suspend fun flush(deadline: Duration, urgent: Boolean): FlushReport = answer {
        flushes++
        if (urgent) urgentFlushes++
        FlushReport(FlushEnd.DRAINED, 0u, 0u, 0u, 0u, outboxTotals.pending)
    }

    override suspend fun startDelivery(): Unit = answer { }

    override suspend fun stopDelivery(): Unit = answer { }

    override suspend fun nextDue(): NextDue = answer { nextDue }

    override suspend fun setConnectivity(connectivity: Connectivity) {
        this.connectivity = answer { connectivity }
    }

    override suspend fun secretsChanged(): Unit = answer { }

    override suspend fun resume(): Hold = answer {
        held.update { it + 1 }
        FakeHold()
    }

    override suspend fun quiesce(): Unit = answer { }

    override suspend fun refresh(): Boolean = answer { false }

    override suspend fun backup(to: String): Unit = answer { }

    override suspend fun check(): CheckReport = answer { CheckReport(sessions.size.toULong(), emptyList()) }

    override suspend fun shutDown(): Unit = close()

    override fun close() {
        closed.value = true
    }

    override fun observeSession(session: SessionKey): Flow<SessionView> = watch { view(session) }

    override fun observeSessions(filter: SessionFilter, limit: Int): Flow<SessionPage> = watch { SessionPage(sessions.take(limit), null, 0uL) }

    override fun observeRecord(session: SessionKey): Flow<SessionRecord> = watch { recordOf(session) }

    override fun observeTotals(): Flow<Totals> = watch { totals }

    override fun observeOutbox(filter: OutboxFilter, limit: Int): Flow<OutboxPage> = watch { OutboxPage(outbox.take(limit), null) }

    override fun observeOutboxTotals(): Flow<OutboxTotals> = watch { outboxTotals }

    override fun observeEndpoints(): Flow<List<EndpointStatus>> = watch { endpoints }

    override fun observeIntegration(): Flow<Boolean> = watch { integrationEnabled }

    override fun observeWorkflows(): Flow<List<WorkflowSummary>> = watch { workflows }

    override fun observeNextDue(): Flow<NextDue> = watch { nextDue }

    private inner class FakeHold : Hold {
        private val released = MutableStateFlow(false)

        override suspend fun release() = close()

        override fun close() {
            if (released.compareAndSet(expect = false, update = true)) held.update { it - 1 }
        }
    }
}
