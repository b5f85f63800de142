package dev.compass.core

import dev.compass.core.internal.Cancel
import dev.compass.core.internal.Core
import dev.compass.core.internal.OpenOptions
import dev.compass.core.internal.Subscription
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
import dev.compass.core.model.Finding
import dev.compass.core.model.FlushReport
import dev.compass.core.model.ImportOutcome
import dev.compass.core.model.MessagePreview
import dev.compass.core.model.NextDue
import dev.compass.core.model.NotFiredFilter
import dev.compass.core.model.Notice
import dev.compass.core.model.OutboxFilter
import dev.compass.core.model.OutboxPage
import dev.compass.core.model.OutboxTotals
import dev.compass.core.model.PurgeReport
import dev.compass.core.model.RecordOutcome
import dev.compass.core.model.RedactBodies
import dev.compass.core.model.RedactOutcome
import dev.compass.core.model.RedactPending
import dev.compass.core.model.Redaction
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
import java.io.Closeable
import java.time.Instant
import kotlin.time.Duration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.isActive
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import dev.compass.core.internal.Hold as CoreHold

/** The handle over the compiled core. */
internal class OpenCompass private constructor(core: Core, private val options: CompassOptions) : Compass {
    private class Opened(val core: Core, val subscription: Subscription)

    internal val changes: Changes = Changes()
    private val writes = OrderedCalls()
    private val networks = OrderedCalls()
    private val openings = OrderedCalls()
    private val ongoing = Ongoing()

    // Null after `close`, and while the database is closed for `whileClosed`.
    @Volatile
    private var opened: Opened? = Opened(core, core.observe(changes))

    @Volatile
    private var closed = false

    /** The core; opens it again after `whileClosed`, which it waits for. */
    private suspend fun core(): Core = (opened ?: openings.inTurn { opened ?: reopened() }).core

    private suspend fun reopened(): Opened {
        if (closed) throw CompassException(ErrorCode.CLOSED, detail = "the handle is closed")
        return withContext(NonCancellable) {
            val core = withContext(options.commandDispatcher) { calling { options.open() } }
            try {
                ongoing.goOn({ on(core) { setConnectivity(it) } }, { on(core) { holdOf(this) } }, { on(core) { startDelivery() } })
                Opened(core, core.observe(changes)).also { opened = it }
            } catch (failed: Exception) {
                on(core) { shutDown() }
                throw failed
            }
        }
    }

    private suspend fun <T> on(core: Core, call: Core.() -> T): T = withContext(options.commandDispatcher) { calling { core.call() } }

    private fun holdOf(core: Core): Hold = HoldOfCore(core.resume(), options.commandDispatcher)

    // The next write begins when this one has committed.
    private suspend fun <T> write(call: Core.() -> T): T = writes.inTurn { beside(call) }

    private suspend fun <T> query(call: Core.() -> T): T = asked { core -> withContext(options.queryDispatcher) { calling { core.call() } } }

    // A query whose database is replaced meanwhile is made of the next one.
    private suspend fun <T> asked(question: suspend (Core) -> T): T {
        while (true) {
            val core = core()
            try {
                return question(core)
            } catch (refused: CompassException) {
                if (refused.code != ErrorCode.CLOSED || closed || opened?.core === core) throw refused
            }
        }
    }

    // For calls that begin and end delivery: they wait for no write.
    private suspend fun <T> beside(call: Core.() -> T): T = on(core(), call)

    // Carried out even if the caller is cancelled: apps call it in a `finally`.
    private suspend fun ending(call: Core.() -> Unit) {
        val core = opened?.core ?: return refusedIfClosed()
        uncancelled(options.commandDispatcher) { calling { core.call() } }
    }

    // Nothing is open, and so nothing runs; but who has closed the handle must not use it.
    private fun refusedIfClosed() {
        if (closed) throw CompassException(ErrorCode.CLOSED, detail = "the handle is closed")
    }

    // For long calls that work in short transactions: taps do not wait for them.
    private suspend fun <T> afterWrites(on: CoroutineDispatcher, call: Core.() -> T): T = writes.afterTurn {
        val core = core()
        withContext(on) { calling { core.call() } }
    }

    private fun <T> watch(concerns: (Notice) -> Boolean, query: Core.() -> T): Flow<T> =
        changes.flow(options.queryDispatcher, concerns) { asked { core -> calling { core.query() } } }

    override suspend fun importWorkflow(document: ByteArray): ImportOutcome = write { importWorkflow(document) }

    override suspend fun workflows(): List<WorkflowSummary> = query { workflows() }

    override suspend fun workflow(key: String, version: WorkflowVersion?): Workflow = query { workflow(key, version) }

    override suspend fun workflowDocument(key: String, version: WorkflowVersion?): ByteArray = query { workflowDocument(key, version) }

    override suspend fun lintWorkflow(document: ByteArray): List<Finding> = query { lintWorkflow(document) }

    override suspend fun retireWorkflow(key: String, version: WorkflowVersion, retired: Boolean) =
        write { retireWorkflow(key, version, retired) }

    override suspend fun forgetWorkflow(key: String, version: WorkflowVersion) = write { forgetWorkflow(key, version) }

    override suspend fun start(start: Start): CommandOutcome = write { start(start) }

    override suspend fun run(session: SessionKey, commands: List<Command>, actor: String?, commandId: String?): CommandOutcome =
        write { run(session, actor, commands, commandId) }

    override suspend fun saveDraft(session: SessionKey, field: String, text: String) = write { saveDraft(session, field, text) }

    override suspend fun saveNoteDraft(session: SessionKey, text: String) = write { saveNoteDraft(session, text) }

    override suspend fun session(session: SessionKey): SessionView = query { session(session) }

    override suspend fun sessions(filter: SessionFilter, page: String?, limit: Int): SessionPage =
        query { sessions(filter, page, limit.asLimit()) }

    override suspend fun record(session: SessionKey): SessionRecord = query { record(session) }

    override suspend fun totals(): Totals = query { totals() }

    override suspend fun delete(session: SessionKey): DeleteReport = write { delete(session) }

    override suspend fun files(): List<String> = query { files() }

    override suspend fun purge(olderThan: Duration): PurgeReport =
        afterWrites(options.commandDispatcher) { purge(olderThan.asMillis()) }

    override suspend fun purgeAllBefore(time: Instant, actor: String): PurgeReport =
        afterWrites(options.commandDispatcher) { purgeAllBefore(time, actor) }

    override suspend fun setIntegrationEnabled(enabled: Boolean) = write { setIntegrationEnabled(enabled) }

    override suspend fun integrationEnabled(): Boolean = query { integrationEnabled() }

    override suspend fun putEndpoint(endpoint: Endpoint) = write { putEndpoint(endpoint) }

    override suspend fun archiveEndpoint(key: String) = write { archiveEndpoint(key) }

    override suspend fun setEndpointEnabled(key: String, enabled: Boolean) = write { setEndpointEnabled(key, enabled) }

    override suspend fun endpoints(): List<EndpointStatus> = query { endpoints() }

    override suspend fun testDelivery(endpoint: String): TestDelivery {
        val core = core()
        return withContext(options.deliveryDispatcher) { calling { core.testDelivery(endpoint) } }
    }

    override suspend fun send(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        write { send(session, action, actor, commandId) }

    override suspend fun sendCorrected(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        write { sendCorrected(session, action, actor, commandId) }

    override suspend fun abandon(
        session: SessionKey,
        action: String,
        actor: String,
        reason: String,
        commandId: String,
    ): RecordOutcome = write { abandon(session, action, actor, reason, commandId) }

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
    ): RedactOutcome = write { redact(session, Redaction(commandId, target, actor, reason, pending, bodies)) }

    override suspend fun sendFailedAgain(actor: String?): Int = write { sendFailedAgain(actor) }

    override suspend fun sendNotFired(filter: NotFiredFilter, actor: String?): Int = write { sendNotFired(filter, actor) }

    override suspend fun replay(session: SessionKey, action: String, actor: String?, commandId: String): RecordOutcome =
        write { replay(session, action, actor, commandId) }

    override suspend fun replaySession(session: SessionKey, actor: String?, commandId: String): RecordOutcome =
        write { replaySession(session, actor, commandId) }

    override suspend fun replaySent(filter: ReplayFilter, actor: String?, page: String?): ReplayReport =
        write { replaySent(filter, actor, page) }

    override suspend fun outbox(filter: OutboxFilter, page: String?, limit: Int): OutboxPage =
        query { outbox(filter, page, limit.asLimit()) }

    override suspend fun outboxTotals(): OutboxTotals = query { outboxTotals() }

    override suspend fun preview(session: SessionKey, action: String): MessagePreview = query { preview(session, action) }

    override suspend fun deliveryBody(id: DeliveryId): String? = query { deliveryBody(id) }

    override suspend fun flush(deadline: Duration, urgent: Boolean): FlushReport {
        val millis = deadline.asMillis()
        val core = core()
        return Cancel().use { cancel ->
            coroutineScope {
                val report = async(options.deliveryDispatcher) { calling { core.flush(millis, cancel, urgent) } }
                try {
                    report.await()
                } catch (cancelled: CancellationException) {
                    // The scope waits for the flush, which releases its claims first.
                    cancel.cancel()
                    throw cancelled
                }
            }
        }
    }

    override suspend fun startDelivery() = ongoing.started { beside { startDelivery() } }

    override suspend fun stopDelivery() {
        ongoing.stopped()
        ending { stopDelivery() }
    }

    override suspend fun nextDue(): NextDue = query { nextDue() }

    // It stores nothing, and must not wait for writes.
    override suspend fun setConnectivity(connectivity: Connectivity) = networks.inTurn {
        ongoing.reported(connectivity)
        beside { setConnectivity(connectivity) }
    }

    override suspend fun secretsChanged() = write { secretsChanged() }

    override suspend fun resume(): Hold = ongoing.held {
        val core = core()
        acquired(options.commandDispatcher) { holdOf(core) }
    }

    override suspend fun quiesce() {
        ongoing.ended()
        ending { quiesce() }
    }

    override suspend fun refresh(): Boolean = query { refresh() }

    override suspend fun backup(to: String) = afterWrites(options.queryDispatcher) { backup(to) }

    override suspend fun check(): CheckReport = query { check() }

    override suspend fun shutDown() = withContext(NonCancellable) { writes.inTurn { openings.inTurn { withContext(options.commandDispatcher) { end() } } } }

    override fun close() = runBlocking { writes.inTurnHere { openings.inTurnHere { end() } } }

    override suspend fun <T> whileClosed(work: suspend (path: String) -> T): T = writes.inTurn {
        try {
            openings.inTurn {
                refusedIfClosed()
                val before = opened
                withContext(options.commandDispatcher) { leave() }
                try {
                    withContext(Dispatchers.Default) { work(options.path) }
                } finally {
                    // If that fails, the next call tries again, and says why.
                    if (before != null) runCatching { reopened() }
                }
            }
        } finally {
            changes.everythingChanged()
        }
    }

    private fun end() {
        // First, so that no call opens it again.
        closed = true
        try {
            leave()
        } catch (refused: CompassException) {
            closed = false
            throw refused
        }
        changes.close()
    }

    private fun leave() {
        val before = opened ?: return
        // First, so that calls during the closing wait for the next core.
        opened = null
        try {
            calling { before.core.shutDown() }
        } catch (refused: CompassException) {
            opened = before
            throw refused
        }
        before.subscription.cancel()
        before.subscription.close()
        before.core.close()
    }

    override fun observeSession(session: SessionKey): Flow<SessionView> = watch({ session in it.sessions }) { session(session) }

    override fun observeSessions(filter: SessionFilter, limit: Int): Flow<SessionPage> =
        watch({ it.sessions.isNotEmpty() }) { sessions(filter, null, limit.asLimit()) }

    // An endpoint changes what the messages of a record wait for.
    override fun observeRecord(session: SessionKey): Flow<SessionRecord> =
        watch({ session in it.sessions || it.endpoints }) { record(session) }

    override fun observeTotals(): Flow<Totals> = watch({ it.sessions.isNotEmpty() || it.outbox }) { totals() }

    override fun observeOutbox(filter: OutboxFilter, limit: Int): Flow<OutboxPage> =
        watch({ it.outbox || it.endpoints }) { outbox(filter, null, limit.asLimit()) }

    override fun observeOutboxTotals(): Flow<OutboxTotals> = watch({ it.outbox || it.endpoints }) { outboxTotals() }

    override fun observeEndpoints(): Flow<List<EndpointStatus>> = watch({ it.endpoints || it.outbox }) { endpoints() }

    override fun observeWorkflows(): Flow<List<WorkflowSummary>> = watch({ it.workflows }) { workflows() }

    override fun observeIntegration(): Flow<Boolean> = watch({ it.endpoints }) { integrationEnabled() }

    override fun observeNextDue(): Flow<NextDue> = watch({ it.outbox || it.endpoints }) { nextDue() }

    override fun observeAttention(): Flow<Attention> = changes.attention()

    companion object {
        suspend fun open(options: CompassOptions): Compass =
            acquired(options.commandDispatcher) { OpenCompass(options.open(), options) }

        private fun CompassOptions.open(): Core {
            clock?.useFor?.invoke(path)
            return Core.open(forCore())
        }

        private fun CompassOptions.forCore() = OpenOptions(
            path = path,
            secrets = secrets?.let(::SecretsOfCore),
            transport = transport?.let(::TransportOfCore),
            retry = retry,
            extraRoots = extraRoots,
            retentionMs = retention?.asMillis(),
            bodyRetentionMs = bodyRetention?.asMillis(),
            device = device,
            allowPlainHttpToLoopback = allowPlainHttpToLoopback,
        )
    }
}

private class HoldOfCore(private val hold: CoreHold, private val commands: CoroutineDispatcher) : Hold {
    override suspend fun release() = uncancelled(commands) { close() }

    @Synchronized
    override fun close() {
        if (hold.uniffiIsDestroyed) return
        calling { hold.release() }
        hold.close()
    }
}

/** Runs to its end and gives its result, even if the caller is cancelled meanwhile. */
private suspend fun <T> uncancelled(on: CoroutineDispatcher, work: () -> T): T =
    // Two calls: one `withContext` that also changes the dispatcher would drop the result.
    withContext(NonCancellable) { withContext(on) { work() } }

/** The caller must close the result. If the caller was cancelled meanwhile, it is closed here. */
private suspend fun <T : Closeable> acquired(on: CoroutineDispatcher, acquire: () -> T): T {
    currentCoroutineContext().ensureActive()
    val acquired = uncancelled(on) { calling(acquire) }
    if (!currentCoroutineContext().isActive) uncancelled(on) { acquired.close() }
    currentCoroutineContext().ensureActive()
    return acquired
}

// A negative limit counts as 0; the core refuses a limit that is too large.
private fun Int.asLimit(): Int = coerceAtLeast(0)

private fun Duration.asMillis(): Long = inWholeMilliseconds.coerceAtLeast(0)
