package dev.compass.core

import dev.compass.core.model.Attention
import dev.compass.core.model.CheckReport
import dev.compass.core.model.Command
import dev.compass.core.model.CommandOutcome
import dev.compass.core.model.Connectivity
import dev.compass.core.model.DeleteReport
import dev.compass.core.model.DeliveryId
import dev.compass.core.model.Endpoint
import dev.compass.core.model.EndpointStatus
import dev.compass.core.model.Finding
import dev.compass.core.model.FlushReport
import dev.compass.core.model.ImportOutcome
import dev.compass.core.model.MessagePreview
import dev.compass.core.model.NextDue
import dev.compass.core.model.NotFiredFilter
import dev.compass.core.model.OutboxFilter
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
import dev.compass.core.model.SessionView
import dev.compass.core.model.Start
import dev.compass.core.model.TestDelivery
import dev.compass.core.model.Totals
import dev.compass.core.model.Workflow
import dev.compass.core.model.WorkflowSummary
import dev.compass.core.model.WorkflowVersion
import java.time.Instant
import kotlin.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

/**
 * A handle that exists at once, for Hilt, Koin or a property, and opens its database at its first use. [Compass.lazy] makes one; keep one
 * per database and process.
 *
 * A call or a collected flow opens it; other calls wait meanwhile. If opening fails, that call throws the error, and the next call tries
 * again. Everything else is as with an open [Compass], also the order of writes.
 *
 * [close] and [shutDown] close the open handle, and the next call opens another one: for a logout, or for a database that was erased or
 * replaced ([whileClosed]). A collected flow goes on with the next handle: while no handle is open it does not emit, it never opens one
 * itself, and it emits from the next database when a call or a newly collected flow has opened it. It ends only with an error. What was
 * reported of the network holds for the next handle too; delivery and holds end with a close, and go on over [whileClosed], [restore] and
 * [erase].
 *
 * ```kotlin
 * val compass = Compass.lazy(CompassOptions(path = "/data/compass.db"))
 * compass.importWorkflow(document)
 * ```
 */
public class LazyCompass internal constructor(
    private val path: suspend () -> String,
    private val open: suspend () -> Compass,
) : Compass {
    private val writes = OrderedCalls()
    private val networks = OrderedCalls()
    private val openings = OrderedCalls()
    private val ongoing = Ongoing()
    private val state = MutableStateFlow<Compass?>(null)

    /** The handle that is open now; null before the first use, and after a close. Reading it opens nothing. */
    public val current: StateFlow<Compass?> get() = state

    /**
     * The handle that is open now; opens one if there is none. Unlike the lazy handle it stays closed once it is closed: for work that must
     * not open the database again. Close the lazy handle, not the one that you get here.
     */
    public suspend fun opened(): Compass = state.value ?: openings.inTurn { state.value ?: next() }

    // Not on the thread of the caller, which may block until it has the handle.
    private suspend fun next(): Compass = withContext(Dispatchers.Default) {
        val compass = open()
        try {
            ongoing.goOn({ compass.setConnectivity(it) }, { compass.resume() }, { compass.startDelivery() })
        } catch (failed: Exception) {
            compass.shutDown()
            throw failed
        }
        compass.also { state.value = it }
    }

    /** Does the work on [Dispatchers.Default]. */
    override suspend fun <T> whileClosed(work: suspend (path: String) -> T): T = writes.inTurn {
        openings.inTurn {
            withContext(Dispatchers.Default) {
                val before = state.value
                leave { shutDown() }
                try {
                    work(path())
                } finally {
                    // If that fails, the next call tries again, and says why.
                    if (before != null) runCatching { next() }
                }
            }
        }
    }

    override suspend fun shutDown(): Unit = withContext(NonCancellable) { writes.inTurn { openings.inTurn { leaveForGood { shutDown() } } } }

    override fun close(): Unit = runBlocking { writes.inTurnHere { openings.inTurnHere { leaveForGood { close() } } } }

    private inline fun leave(end: Compass.() -> Unit) {
        val before = state.value ?: return
        // First, so that calls during the closing wait for the next handle.
        state.value = null
        try {
            before.end()
        } catch (refused: CompassException) {
            state.value = before
            throw refused
        }
    }

    private inline fun leaveForGood(end: Compass.() -> Unit) {
        leave(end)
        ongoing.ended()
    }

    private suspend fun <T> write(call: suspend Compass.() -> T): T = writes.inTurn { opened().call() }

    private fun <T> watch(watched: Compass.() -> Flow<T>): Flow<T> = onEach(watched).distinctUntilChanged()

    private fun <T> onEach(watched: Compass.() -> Flow<T>): Flow<T> = flow {
        var compass = opened()
        while (true) {
            emitAll(compass.watched().catch { if ((it as? CompassException)?.code != ErrorCode.CLOSED) throw it })
            val over = compass
            compass = state.filterNotNull().first { it !== over }
        }
    }

    override suspend fun importWorkflow(document: ByteArray): ImportOutcome = write { importWorkflow(document) }

    override suspend fun workflows(): List<WorkflowSummary> = opened().workflows()

    override suspend fun workflow(key: String, version: WorkflowVersion?): Workflow = opened().workflow(key, version)

    override suspend fun workflowDocument(key: String, version: WorkflowVersion?): ByteArray = opened().workflowDocument(key, version)

    override suspend fun lintWorkflow(document: ByteArray): List<Finding> = opened().lintWorkflow(document)

    override suspend fun retireWorkflow(key: String, version: WorkflowVersion, retired: Boolean): Unit =
        write { retireWorkflow(key, version, retired) }

    override suspend fun forgetWorkflow(key: String, version: WorkflowVersion): Unit = write { forgetWorkflow(key, version) }

    override suspend fun start(start: Start): CommandOutcome = write { start(start) }

    override suspend fun run(session: SessionKey, commands: List<Command>, actor: String?, commandId: String?): CommandOutcome =
        write { run(session, commands, actor, commandId) }

    override suspend fun saveDraft(session: SessionKey, field: String, text: String): Unit = write { saveDraft(session, field, text) }

    override suspend fun saveNoteDraft(session: SessionKey, text: String): Unit = write { saveNoteDraft(session, text) }

    override suspend fun session(session: SessionKey): SessionView = opened().session(session)

    override suspend fun sessions(filter: SessionFilter, page: String?, limit: Int): SessionPage = opened().sessions(filter, page, limit)

    override suspend fun record(session: SessionKey): SessionRecord = opened().record(session)

    override suspend fun totals(): Totals = opened().totals()

    override suspend fun delete(session: SessionKey): DeleteReport = write { delete(session) }

    override suspend fun files(): List<String> = opened().files()

    override suspend fun purge(olderThan: Duration): PurgeReport = writes.afterTurn { opened().purge(olderThan) }

    override suspend fun purgeAllBefore(time: Instant, actor: String): PurgeReport =
        writes.afterTurn { opened().purgeAllBefore(time, actor) }

    override suspend fun setIntegrationEnabled(enabled: Boolean): Unit = write { setIntegrationEnabled(enabled) }

    override suspend fun integrationEnabled(): Boolean = opened().integrationEnabled()

    override suspend fun putEndpoint(endpoint: Endpoint): Unit = write { putEndpoint(endpoint) }

    override suspend fun archiveEndpoint(key: String): Unit = write { archiveEndpoint(key) }

    override suspend fun setEndpointEnabled(key: String, enabled: Boolean): Unit = write { setEndpointEnabled(key, enabled) }

    override suspend fun endpoints(): List<EndpointStatus> = opened().endpoints()

    override suspend fun testDelivery(endpoint: String): TestDelivery = opened().testDelivery(endpoint)

    override suspend fun send(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        write { send(session, action, actor, commandId) }

    override suspend fun sendCorrected(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        write { sendCorrected(session, action, actor, commandId) }

    override suspend fun abandon(session: SessionKey, action: String, actor: String, reason: String, commandId: String): RecordOutcome =
        write { abandon(session, action, actor, reason, commandId) }

    override suspend fun abandonSession(session: SessionKey, actor: String, reason: String, commandId: String): RecordOutcome =
        write { abandonSession(session, actor, reason, commandId) }

    override suspend fun redact(
        session: SessionKey,
        target: RedactionTarget,
        actor: String,
        reason: String,
        pending: RedactPending,
        bodies: RedactBodies,
        commandId: String,
    ): RedactOutcome = write { redact(session, target, actor, reason, pending, bodies, commandId) }

    override suspend fun sendFailedAgain(actor: String?): Int = write { sendFailedAgain(actor) }

    override suspend fun sendNotFired(filter: NotFiredFilter, actor: String?): Int = write { sendNotFired(filter, actor) }

    override suspend fun replay(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        write { replay(session, action, actor, commandId) }

    override suspend fun replaySession(session: SessionKey, actor: String?, commandId: String): RecordOutcome =
        write { replaySession(session, actor, commandId) }

    override suspend fun replaySent(filter: ReplayFilter, actor: String?, page: String?): ReplayReport =
        write { replaySent(filter, actor, page) }

    override suspend fun outbox(filter: OutboxFilter, page: String?, limit: Int): OutboxPage = opened().outbox(filter, page, limit)

    override suspend fun outboxTotals(): OutboxTotals = opened().outboxTotals()

    override suspend fun preview(session: SessionKey, action: String): MessagePreview = opened().preview(session, action)

    override suspend fun deliveryBody(id: DeliveryId): String? = opened().deliveryBody(id)

    override suspend fun flush(deadline: Duration, urgent: Boolean): FlushReport = opened().flush(deadline, urgent)

    override suspend fun startDelivery(): Unit = ongoing.started { opened().startDelivery() }

    override suspend fun stopDelivery() {
        ongoing.stopped()
        state.value?.stopDelivery()
    }

    override suspend fun nextDue(): NextDue = opened().nextDue()

    override suspend fun setConnectivity(connectivity: Connectivity): Unit = networks.inTurn {
        ongoing.reported(connectivity)
        opened().setConnectivity(connectivity)
    }

    override suspend fun secretsChanged(): Unit = write { secretsChanged() }

    override suspend fun resume(): Hold = ongoing.held { opened().resume() }

    override suspend fun quiesce() {
        ongoing.ended()
        state.value?.quiesce()
    }

    override suspend fun refresh(): Boolean = opened().refresh()

    override suspend fun backup(to: String): Unit = writes.afterTurn { opened().backup(to) }

    override suspend fun check(): CheckReport = opened().check()

    override fun observeSession(session: SessionKey): Flow<SessionView> = watch { observeSession(session) }

    override fun observeSessions(filter: SessionFilter, limit: Int): Flow<SessionPage> = watch { observeSessions(filter, limit) }

    override fun observeRecord(session: SessionKey): Flow<SessionRecord> = watch { observeRecord(session) }

    override fun observeTotals(): Flow<Totals> = watch { observeTotals() }

    override fun observeOutbox(filter: OutboxFilter, limit: Int): Flow<OutboxPage> = watch { observeOutbox(filter, limit) }

    override fun observeOutboxTotals(): Flow<OutboxTotals> = watch { observeOutboxTotals() }

    override fun observeEndpoints(): Flow<List<EndpointStatus>> = watch { observeEndpoints() }

    override fun observeWorkflows(): Flow<List<WorkflowSummary>> = watch { observeWorkflows() }

    override fun observeIntegration(): Flow<Boolean> = watch { observeIntegration() }

    override fun observeNextDue(): Flow<NextDue> = watch { observeNextDue() }

    override fun observeAttention(): Flow<Attention> = onEach { observeAttention() }
}
