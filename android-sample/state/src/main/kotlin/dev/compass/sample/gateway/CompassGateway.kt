package dev.compass.sample.gateway

import dev.compass.core.AuthoredDocument
import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.DiscardUndelivered
import dev.compass.core.FieldInput
import dev.compass.core.LazyCompass
import dev.compass.core.RestoreOptions
import dev.compass.core.WorkflowDocument
import dev.compass.core.edit
import dev.compass.core.end
import dev.compass.core.discard
import dev.compass.core.model.ActionDefinition
import dev.compass.core.model.ActionKind
import dev.compass.core.model.Applied
import dev.compass.core.model.Command
import dev.compass.core.model.CommandOutcome
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FlushEnd
import dev.compass.core.model.Integration
import dev.compass.core.model.NoteChange
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionView
import dev.compass.core.model.Start
import dev.compass.core.model.WorkflowSummary
import dev.compass.core.model.WorkflowVersion
import dev.compass.core.note
import dev.compass.core.useResponse
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.withContext

/**
 * The gateway to the app's handle. One per process; the bindings are imported in this folder and nowhere else.
 *
 * @param database the path of the database, which need not open.
 */
class CompassGateway(
    private val compass: LazyCompass,
    private val network: PhoneNetwork,
    private val database: suspend () -> String,
) : FieldGateway {
    // What the core needs to read typed text. Filled before a screen can show the field.
    private val definitions = ConcurrentHashMap<Pair<String, String>, FieldDefinition>()

    override val signal: StateFlow<Signal> get() = network.signal

    // Workflows ----------------------------------------------------------------------------------------------------------------------

    override fun workflows(): Flow<List<WorkflowItem>> = compass.observeWorkflows()
        .map { all -> all.filter { it.current }.map { item(it) }.sortedBy { it.workflow.name } }
        .told()

    override fun outline(workflow: String): Flow<WorkflowOutline> = compass.observeWorkflows()
        .map { all -> all.firstOrNull { it.current && it.workflow.key == workflow } ?: throw GatewayFailure("unknown_workflow") }
        .distinctUntilChanged()
        .map { outline(it) }
        .told()

    // Names for the findings cost a read of the workflow; few have any.
    private suspend fun item(summary: WorkflowSummary): WorkflowItem =
        summary.app(if (summary.findings.isEmpty()) null else compass.workflow(summary.workflow.key, summary.version()))

    private suspend fun outline(summary: WorkflowSummary): WorkflowOutline {
        val workflow = compass.workflow(summary.workflow.key, summary.version())
        return workflow.outline(summary.app(workflow))
    }

    private fun WorkflowSummary.version() = WorkflowVersion(workflow.version, workflow.localRevision)

    override suspend fun importWorkflow(document: ByteArray): Imported = told {
        val outcome = compass.importWorkflow(document)
        Imported(outcome.imported, item(outcome.workflow))
    }

    override suspend fun addMessage(workflow: String, section: String, name: String, endpoint: String): WorkflowItem = told {
        val taken = compass.workflow(workflow).sections.flatMapTo(HashSet()) { each -> each.actions.map { it.key } }
        val key = generateSequence(1) { it + 1 }.map { "message-$it" }.first { it !in taken }
        val action = ActionDefinition(key, name, Integration.WEBHOOKS, ActionKind.SEND_MESSAGE, endpoint)
        change(workflow) { WorkflowDocument.addAction(it, section, action) }
    }

    override suspend fun removeAction(workflow: String, section: String, action: String): WorkflowItem =
        told { change(workflow) { WorkflowDocument.removeAction(it, section, action) } }

    private suspend fun change(workflow: String, author: (ByteArray) -> AuthoredDocument): WorkflowItem {
        val document = compass.workflowDocument(workflow)
        val changed = withContext(Dispatchers.Default) { author(document) }
        return item(compass.importWorkflow(changed.document).workflow)
    }

    // A session ----------------------------------------------------------------------------------------------------------------------

    override suspend fun start(workflow: String, actor: String?, command: String): SessionNow =
        told { compass.start(Start(command, workflow, actor = actor)).view.known() }

    override fun session(key: String): Flow<SessionNow> = compass.observeSession(key).map { it.known() }.told()

    override suspend fun now(session: String): SessionNow = told { compass.session(session).known() }

    override suspend fun outlineOf(session: SessionNow): WorkflowOutline = told {
        val name = session.workflow
        val workflow = compass.workflow(name.key, WorkflowVersion(name.version, name.revision))
        workflow.outline(WorkflowItem(name, workflow.description, startable = true))
    }

    override suspend fun read(session: String, field: String, text: String): Reading = told {
        val definition = definitions[session to field]
            ?: compass.record(session).also { it.remember() }.let { definitions[session to field] }
            ?: throw GatewayFailure("unknown_fields")
        try {
            Reading.Read(withContext(Dispatchers.Default) { FieldInput.parse(definition, text) }.app())
        } catch (refused: CompassException) {
            Reading.Refused(refused.problems.firstOrNull()?.app() ?: throw refused)
        }
    }

    private fun SessionView.known(): SessionNow {
        fields.forEach { definitions[key to it.definition.key] = it.definition }
        return app()
    }

    private fun SessionRecord.remember() = fields.forEach { definitions[key to it.definition.key] = it.definition }

    override suspend fun saveDraft(session: String, field: String, text: String) = told { compass.saveDraft(session, field, text) }

    override suspend fun saveNoteDraft(session: String, text: String) = told { compass.saveNoteDraft(session, text) }

    override suspend fun setFields(session: String, changes: List<FieldChange>, actor: String?): Done =
        told { compass.run(session, changes.command(), actor).done() }

    override suspend fun answer(session: String, visit: Int, answer: String, changes: List<FieldChange>, actor: String?): Done =
        told { compass.run(session, changes.command() + Command.Answer(visit, answer), actor).done() }

    private fun List<FieldChange>.command(): List<Command> = if (isEmpty()) emptyList() else listOf(Command.SetFields(map { it.core() }))

    override suspend fun back(session: String, visit: Int, toVisit: Int, actor: String?): Done =
        told { compass.run(session, listOf(Command.Back(visit, toVisit)), actor).done() }

    override suspend fun useResponse(session: String, response: String, actor: String?, command: String): Done =
        told { compass.useResponse(session, response, actor, command).done() }

    override suspend fun note(session: String, text: String, actor: String?, command: String): Done =
        told { compass.note(session, text, actor, command).done() }

    override suspend fun complete(session: String, visit: Int, actor: String?): Done =
        told { compass.run(session, listOf(Command.Complete(visit)), actor).done() }

    override suspend fun end(session: String, reason: String, actor: String?, command: String): Done =
        told { compass.end(session, reason, actor, command).done() }

    override suspend fun discard(session: String, actor: String?): Unit = told { compass.discard(session, actor) }

    private fun CommandOutcome.done() = Done(view.known(), applied == Applied.YES)

    // Records ------------------------------------------------------------------------------------------------------------------------

    override fun sessions(query: SessionQuery, limit: Int): Flow<SessionList> = compass.observeSessions(query.core(), limit)
        .map { page -> SessionList(page.sessions.map { it.app() }, page.next != null) }
        .told()

    override fun record(key: String): Flow<RecordNow> = compass.observeRecord(key)
        .map {
            it.remember()
            it.app()
        }
        .told()

    override suspend fun edit(session: String, fields: List<FieldChange>, notes: Map<Int, String>, actor: String?, command: String): Unit =
        told { compass.edit(session, fields.map { it.core() }, notes.map { NoteChange(it.key, it.value) }, actor, command) }

    override suspend fun send(session: String, action: String, actor: String?, command: String): Unit =
        told { compass.send(session, action, actor, command) }

    override suspend fun sendCorrected(session: String, action: String, actor: String?, command: String): Unit =
        told { compass.sendCorrected(session, action, actor, command) }

    override suspend fun abandon(session: String, action: String, actor: String, reason: String, command: String): Boolean =
        told { compass.abandon(session, action, actor, reason, command).inFlight }

    override suspend fun preview(session: String, action: String): Preview = told {
        // What is frozen is what is sent, no matter what was edited since.
        val frozen = compass.record(session).actions.firstOrNull { it.key == action }?.deliveries?.firstOrNull()
        val body = frozen?.let { compass.deliveryBody(it.id) }
        if (body != null) return@told Preview(action, frozen.endpoint, body)
        compass.preview(session, action).let { Preview(action, it.endpoint, it.body) }
    }

    // The outbox and the integration -------------------------------------------------------------------------------------------------

    override fun outbox(limit: Int): Flow<OutboxList> = compass.observeOutbox(limit = limit)
        .map { page -> OutboxList(page.items.map { it.app() }, page.next != null) }
        .told()

    override fun outboxNumbers(): Flow<OutboxNumbers> = compass.observeOutboxTotals()
        .map { OutboxNumbers(it.pending.toInt(), it.failed.toInt(), it.needsPerson.toInt(), it.oldestUnsentAt, it.unsentBytes) }
        .told()

    override suspend fun sendNow(): Sent = told {
        val report = compass.flush(urgent = true)
        Sent(report.sent, report.pending.toInt(), report.end == FlushEnd.OFFLINE)
    }

    override suspend fun sendFailedAgain(actor: String?): Int = told { compass.sendFailedAgain(actor) }

    override fun integrationEnabled(): Flow<Boolean> = compass.observeIntegration().told()

    override suspend fun setIntegrationEnabled(enabled: Boolean) = told { compass.setIntegrationEnabled(enabled) }

    override fun endpoints(): Flow<List<EndpointLine>> =
        compass.observeEndpoints().map { all -> all.filter { it.archivedAt == null }.map { it.app() } }.told()

    override suspend fun putEndpoint(endpoint: EndpointLine) = told {
        val headers = compass.endpoints().firstOrNull { it.endpoint.key == endpoint.key }?.endpoint?.headers.orEmpty()
        compass.putEndpoint(endpoint.core(headers))
    }

    override suspend fun setEndpointEnabled(key: String, enabled: Boolean) = told { compass.setEndpointEnabled(key, enabled) }

    override suspend fun testDelivery(endpoint: String): TestResult =
        told { compass.testDelivery(endpoint).let { TestResult(it.delivered, it.status, it.outcome) } }

    override suspend fun secretsChanged() = told { compass.secretsChanged() }

    // The phone ----------------------------------------------------------------------------------------------------------------------

    override val simulated: StateFlow<Boolean> get() = network.simulated

    override suspend fun simulateOffline(simulate: Boolean) = told { compass.setConnectivity(network.play(simulate)) }

    override suspend fun diagnostics(): String = told {
        val sessions = compass.totals().sessions
        val outbox = compass.outboxTotals()
        val due = compass.nextDue()
        val check = compass.check()
        buildString {
            appendLine("core: ${Compass.version()}")
            appendLine("signal: ${signal.value}")
            appendLine("integration: ${if (compass.integrationEnabled()) "on" else "off"}")
            appendLine("sessions: ${sessions.inProgress} in progress, ${sessions.completed} completed, ${sessions.ended} ended")
            appendLine("outbox: ${outbox.pending} pending, ${outbox.failed} failed, ${outbox.needsPerson} for a person")
            appendLine("unsent: ${outbox.unsentBytes} bytes")
            appendLine("oldest: ${outbox.oldestUnsentAt ?: "none"}")
            appendLine("next due: ${due.at ?: "none"}, when online: ${due.whenOnline ?: "none"}")
            compass.endpoints().forEach { status ->
                val state = if (status.enabled) "enabled" else "disabled (${status.disabledReason})"
                appendLine("endpoint ${status.endpoint.key}: $state, ${status.pending} pending, failures: ${status.consecutiveFailures}")
            }
            appendLine("check: ${check.sessions} sessions, ${check.faults.size} faults")
            check.faults.forEach { appendLine("fault: $it") }
        }
    }

    override suspend fun backup(path: String) = told { compass.backup(path) }

    override suspend fun putBack(copy: String, discard: Discard?) = replace { Compass.restore(copy, RestoreOptions(it, discard?.core())) }

    override suspend fun erase(discard: Discard?) = replace { Compass.erase(it, discard?.core()) }

    private suspend fun replace(work: suspend (path: String) -> Unit): Unit = told {
        var done = false
        try {
            compass.whileClosed { work(database()) }
            done = true
        } finally {
            // Also after a refusal, and for screens that outlive this one: the app goes on with what is there now. Where that does not open,
            // the refusal is what there is to say.
            withContext(NonCancellable) {
                try {
                    compass.opened()
                } catch (closed: CompassException) {
                    if (done) throw closed
                }
            }
        }
    }

    override suspend fun salvage(path: String): Salvaged =
        told { Compass.salvage(database(), path).let { Salvaged(it.unsent.toInt(), whole = it.gaps == 0L) } }

    private fun Discard.core() = DiscardUndelivered(actor, reason)

    private fun <T> Flow<T>.told(): Flow<T> = catch { throw if (it is CompassException) it.gateway() else it }

    private inline fun <T> told(work: () -> T): T = try {
        work()
    } catch (refused: CompassException) {
        throw refused.gateway()
    }
}
