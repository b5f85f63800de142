package dev.compass.sample.gateway

import java.math.BigDecimal
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.update

/**
 * A gateway without a core, for tests of screens and for previews: it shows what it has, and keeps what was asked of it.
 *
 * It knows just enough to turn pages; what a command may do is the core's to say, and a test of that uses the real gateway.
 *
 * ```kotlin
 * val gateway = FakeGateway(FakePhone.atWork())
 * model.onEvent(SessionEvent.Answered("a1"))
 * assertEquals("answer s1 2 a1", gateway.calls.last())
 * ```
 */
class FakeGateway(phone: FakePhone = FakePhone()) : FieldGateway {
    private val phone = MutableStateFlow(phone)
    private val asked = mutableListOf<String>()

    /** What it has now. */
    val shown: FakePhone get() = phone.value

    /** Every command, in order: its name and its keys, without what was typed. */
    val calls: List<String> get() = synchronized(asked) { asked.toList() }

    /** Drafts by session and field. */
    val drafts: MutableMap<Pair<String, String>, String> = mutableMapOf()

    /** Half-typed notes by session. */
    val noteDrafts: MutableMap<String, String> = mutableMapOf()

    /** Has something else from now on; the flows tell. */
    fun show(change: FakePhone.() -> FakePhone): Unit = phone.update(change)

    override val signal: MutableStateFlow<Signal> = MutableStateFlow(Signal.ONLINE)
    private val playing = MutableStateFlow(false)
    override val simulated: StateFlow<Boolean> get() = playing

    private fun asked(call: String) {
        synchronized(asked) { asked += call }
        shown.failure?.let { throw it }
    }

    private fun <T> watch(read: FakePhone.() -> T): Flow<T> = phone.map { it.read() }.distinctUntilChanged()

    // Workflows ----------------------------------------------------------------------------------------------------------------------

    override fun workflows(): Flow<List<WorkflowItem>> = watch { workflows.map { it.item } }

    override fun outline(workflow: String): Flow<WorkflowOutline> = watch { outline(workflow) }

    private fun FakePhone.outline(workflow: String) =
        workflows.firstOrNull { it.item.workflow.key == workflow } ?: throw GatewayFailure("unknown_workflow")

    override suspend fun importWorkflow(document: ByteArray): Imported {
        asked("import")
        return Imported(true, shown.workflows.first().item)
    }

    override suspend fun addMessage(workflow: String, section: String, name: String, endpoint: String): WorkflowItem {
        asked("add $workflow $section $endpoint")
        return change(workflow, section) { it + OutlineAction("message-${it.size + 1}", name, endpoint) }
    }

    override suspend fun removeAction(workflow: String, section: String, action: String): WorkflowItem {
        asked("remove $workflow $section $action")
        return change(workflow, section) { actions -> actions.filter { it.key != action } }
    }

    private fun change(workflow: String, section: String, actions: (List<OutlineAction>) -> List<OutlineAction>): WorkflowItem {
        val before = shown.outline(workflow)
        val name = before.item.workflow.run { copy(revision = revision + 1) }
        val sections = before.sections.map { if (it.key == section) it.copy(actions = actions(it.actions)) else it }
        val after = before.copy(item = before.item.copy(workflow = name), sections = sections)
        show { copy(workflows = workflows.map { if (it == before) after else it }) }
        return after.item
    }

    // A session ----------------------------------------------------------------------------------------------------------------------

    override suspend fun start(workflow: String, actor: String?, command: String): SessionNow {
        asked("start $workflow")
        val outline = shown.outline(workflow)
        val session = outline.session("new-${shown.sessions.size + 1}", outline.start)
        put(session)
        return session
    }

    override fun session(key: String): Flow<SessionNow> = watch { session(key) }

    override suspend fun now(session: String): SessionNow = shown.session(session)

    private fun FakePhone.session(key: String): SessionNow {
        val session = sessions[key] ?: throw GatewayFailure("unknown_session")
        return session.copy(fields = session.fields.map { it.copy(draft = drafts[key to it.info.key]) }, noteDraft = noteDrafts[key])
    }

    override suspend fun outlineOf(session: SessionNow): WorkflowOutline = shown.outline(session.workflow.key)

    override suspend fun read(session: String, field: String, text: String): Reading {
        val info = shown.workflows.flatMap { it.sections }.flatMap { it.fields }.first { it.key == field }
        val value = when (info.type) {
            FieldType.INTEGER -> text.toLongOrNull()?.let { Value.Whole(it) }
            FieldType.DECIMAL -> text.replace(',', '.').toBigDecimalOrNull()?.let { Value.Exact(it) }
            else -> Value.Words(text)
        }
        val max = info.max?.toBigDecimalOrNull()
        val number = (value as? Value.Exact)?.number ?: (value as? Value.Whole)?.let { BigDecimal(it.number) }
        return when {
            value == null -> Reading.Refused(FieldProblem(field, "bad_format"))
            number != null && max != null && number > max -> Reading.Refused(FieldProblem(field, "too_large", info.max))
            else -> Reading.Read(Holding.Given(value))
        }
    }

    override suspend fun saveDraft(session: String, field: String, text: String) {
        if (text.isEmpty()) drafts.remove(session to field) else drafts[session to field] = text
    }

    override suspend fun saveNoteDraft(session: String, text: String) {
        if (text.isEmpty()) noteDrafts.remove(session) else noteDrafts[session] = text
    }

    override suspend fun setFields(session: String, changes: List<FieldChange>, actor: String?): Done {
        asked("set $session ${changes.joinToString(" ") { it.field }}")
        changes.forEach { drafts.remove(session to it.field) }
        return Done(put(kept(session).with(changes)), changed = true)
    }

    override suspend fun answer(session: String, visit: Int, answer: String, changes: List<FieldChange>, actor: String?): Done {
        asked("answer $session $visit $answer")
        val before = kept(session).with(changes)
        if (visit != before.visit) return Done(before, changed = false)
        val missing = before.fields.filter { it.info.required && it.holding == Holding.NotProvided }
        if (missing.isNotEmpty()) throw GatewayFailure("field_problems", missing.map { FieldProblem(it.info.key, "required", visit = visit) })
        val outline = shown.outline(before.workflow.key)
        val index = before.answers.indexOfFirst { it.key == answer }
        val next = outline.sections.first { it.key == before.section }.answers[index].next ?: throw GatewayFailure("unlinked_answer")
        return Done(put(outline.session(session, next)), changed = true)
    }

    override suspend fun back(session: String, visit: Int, toVisit: Int, actor: String?): Done {
        asked("back $session $visit $toVisit")
        val before = kept(session)
        val step = before.path.first { it.visit == toVisit }
        // A number is never used twice.
        val after = shown.outline(before.workflow.key).session(session, step.section)
        val path = after.path.dropLast(1) + after.path.last().copy(visit = visit + 1)
        return Done(put(after.copy(visit = visit + 1, path = path)), changed = true)
    }

    override suspend fun useResponse(session: String, response: String, actor: String?, command: String): Done {
        asked("response $session $response")
        return Done(kept(session), changed = true)
    }

    override suspend fun note(session: String, text: String, actor: String?, command: String): Done {
        asked("note $session")
        noteDrafts.remove(session)
        val before = kept(session)
        val note = SessionNote(before.notes.size + 1, FakePhone.NOW, text, actor, edited = false)
        return Done(put(before.copy(notes = before.notes + note)), changed = true)
    }

    override suspend fun complete(session: String, visit: Int, actor: String?): Done {
        asked("complete $session $visit")
        return Done(put(kept(session).copy(state = SessionState.COMPLETED)), changed = true)
    }

    override suspend fun end(session: String, reason: String, actor: String?, command: String): Done {
        asked("end $session")
        return Done(put(kept(session).copy(state = SessionState.ENDED)), changed = true)
    }

    override suspend fun discard(session: String, actor: String?) {
        asked("discard $session")
        show { copy(sessions = sessions - session, items = items.filter { it.key != session }) }
    }

    private fun kept(session: String): SessionNow = shown.sessions[session] ?: throw GatewayFailure("unknown_session")

    private fun put(session: SessionNow): SessionNow {
        show { copy(sessions = sessions + (session.key to session), records = records + (session.key to session.record())) }
        return session
    }

    private fun SessionNow.with(changes: List<FieldChange>) = copy(
        fields = fields.map { field ->
            changes.firstOrNull { it.field == field.info.key }?.let { field.copy(holding = it.to, draft = null) } ?: field
        },
    )

    // Records ------------------------------------------------------------------------------------------------------------------------

    override fun sessions(query: SessionQuery, limit: Int): Flow<SessionList> = watch {
        val found = items.filter { it.fits(query) }
        SessionList(found.take(limit), found.size > limit)
    }

    private fun SessionItem.fits(query: SessionQuery): Boolean {
        val counts = mapOf(
            ActionState.NOT_FIRED to notFired,
            ActionState.PENDING to pending,
            ActionState.SENT to sent,
            ActionState.FAILED to failed,
        )
        return (query.states.isEmpty() || state in query.states) &&
            (query.won == null || won == query.won) &&
            (query.action == null || counts.getValue(query.action) > 0) &&
            (query.text == null || sectionName.contains(query.text, ignoreCase = true))
    }

    override fun record(key: String): Flow<RecordNow> = watch {
        val record = records[key] ?: throw GatewayFailure("unknown_session")
        record.copy(fields = record.fields.map { it.copy(draft = drafts[key to it.info.key]) })
    }

    override suspend fun edit(session: String, fields: List<FieldChange>, notes: Map<Int, String>, actor: String?, command: String) {
        asked("edit $session ${fields.joinToString(" ") { it.field }} ${notes.keys.joinToString(" ")}".trim())
        val before = shown.records.getValue(session)
        for (change in fields) drafts.remove(session to change.field)
        val edited = before.fields.map { field ->
            fields.firstOrNull { it.field == field.info.key }?.let { field.copy(holding = it.to) } ?: field
        }
        show { copy(records = records + (session to before.copy(fields = edited))) }
    }

    override suspend fun send(session: String, action: String, actor: String?, command: String) = asked("send $session $action")

    override suspend fun sendCorrected(session: String, action: String, actor: String?, command: String) =
        asked("send corrected $session $action")

    override suspend fun abandon(session: String, action: String, actor: String, reason: String, command: String): Boolean {
        asked("abandon $session $action by $actor")
        return shown.inFlight
    }

    override suspend fun preview(session: String, action: String): Preview =
        Preview(action, "office", """{"key":"$session","workflow":{"key":"boiler-service","name":"Boiler service"},"fields":[]}""")

    // The outbox and the integration -------------------------------------------------------------------------------------------------

    override fun outbox(limit: Int): Flow<OutboxList> = watch { OutboxList(outbox.take(limit), outbox.size > limit) }

    override fun outboxNumbers(): Flow<OutboxNumbers> = watch {
        OutboxNumbers(
            outbox.count { it.state == ActionState.PENDING },
            outbox.count { it.state == ActionState.FAILED },
            outbox.count { it.needsPerson },
            outbox.minOfOrNull { it.frozenAt },
        )
    }

    override suspend fun sendNow(): Sent {
        asked("send now")
        if (signal.value == Signal.NONE) return Sent(0, shown.outbox.count { it.state == ActionState.PENDING }, offline = true)
        val leaving = shown.outbox.count { it.state == ActionState.PENDING }
        show { copy(outbox = outbox.filter { it.state != ActionState.PENDING }) }
        return Sent(leaving, 0, offline = false)
    }

    override suspend fun sendFailedAgain(actor: String?): Int {
        asked("send failed again")
        return shown.outbox.count { it.state == ActionState.FAILED }
    }

    override fun integrationEnabled(): Flow<Boolean> = watch { integrationEnabled }

    override suspend fun setIntegrationEnabled(enabled: Boolean) {
        asked("integration $enabled")
        show { copy(integrationEnabled = enabled) }
    }

    override fun endpoints(): Flow<List<EndpointLine>> = watch { endpoints }

    override suspend fun putEndpoint(endpoint: EndpointLine) {
        asked("endpoint ${endpoint.key}")
        show { copy(endpoints = endpoints.filter { it.key != endpoint.key } + endpoint) }
    }

    override suspend fun setEndpointEnabled(key: String, enabled: Boolean) {
        asked("endpoint $key $enabled")
        show { copy(endpoints = endpoints.map { if (it.key == key) it.copy(enabled = enabled) else it }) }
    }

    override suspend fun testDelivery(endpoint: String): TestResult {
        asked("test $endpoint")
        return TestResult(true, 202, "sent")
    }

    override suspend fun secretsChanged() = asked("secrets changed")

    // The phone ----------------------------------------------------------------------------------------------------------------------

    override suspend fun simulateOffline(simulate: Boolean) {
        asked("simulate offline $simulate")
        playing.value = simulate
        signal.value = if (simulate) Signal.NONE else Signal.ONLINE
    }

    override suspend fun diagnostics(): String = "core: fake"

    override suspend fun backup(path: String) = asked("backup")

    override suspend fun putBack(copy: String, discard: Discard?) = replace("put back $copy", discard) { FakePhone.atWork() }

    override suspend fun erase(discard: Discard?) = replace("erase", discard) { FakePhone() }

    override suspend fun salvage(path: String): Salvaged {
        asked("salvage $path")
        return Salvaged(shown.outbox.size, whole = false)
    }

    private fun replace(call: String, discard: Discard?, phone: () -> FakePhone) {
        asked(if (discard == null) call else "$call, ${discard.actor}: ${discard.reason}")
        if (shown.outbox.isNotEmpty() && discard == null) throw GatewayFailure("undelivered", count = shown.outbox.size)
        show { phone() }
    }
}
