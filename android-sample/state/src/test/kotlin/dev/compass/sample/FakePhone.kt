package dev.compass.sample

import dev.compass.core.CompassException
import dev.compass.core.DiscardUndelivered
import dev.compass.core.ErrorCode
import dev.compass.core.model.Action
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Applied
import dev.compass.core.model.Command
import dev.compass.core.model.CommandOutcome
import dev.compass.core.model.Connectivity
import dev.compass.core.model.DeliveryState
import dev.compass.core.model.Endpoint
import dev.compass.core.model.FieldState
import dev.compass.core.model.FlushEnd
import dev.compass.core.model.FlushReport
import dev.compass.core.model.ImportOutcome
import dev.compass.core.model.Problem
import dev.compass.core.model.RecordField
import dev.compass.core.model.RecordOutcome
import dev.compass.core.model.SalvageReport
import dev.compass.core.model.SessionFilter
import dev.compass.core.model.SessionPage
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionSummary
import dev.compass.core.model.SessionView
import dev.compass.core.model.Start
import dev.compass.core.model.TimelineEntry
import dev.compass.core.model.TimelineItem
import dev.compass.core.model.WorkflowVersion
import dev.compass.core.testing.FakeCall
import dev.compass.core.testing.FakeCompass
import dev.compass.core.testing.FakeState
import dev.compass.core.testing.after
import dev.compass.core.toState
import dev.compass.sample.port.Database
import kotlin.time.Duration
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map

/** A handle that knows just enough to turn pages; what a command may do is the core's to say, and a test of that uses a real one. */
class FakePhone(state: FakeState) : FakeCompass(state) {
    /** A message that is given up is on its way already. */
    var inFlight = false

    /** Every command, in order: its name and its keys, without what was typed. What goes together stands together. */
    val asked: List<String> get() = calls.filter { it.name in COMMANDS }.map { it.words() }

    init {
        onRun { command ->
            when (command) {
                is Command.Answer -> answered(command)
                is Command.Back -> back(command)
                else -> after(command)
            }
        }
    }

    private fun FakeCall.words(): String = when (val first = arguments.firstOrNull()) {
        is Start -> "start ${first.workflow}"
        is Endpoint -> "putEndpoint ${first.key}"
        is ByteArray -> name
        else -> when (name) {
            "run" -> (arguments[1] as List<*>).joinToString(" + ") { (it as Command).words("$first") }
            "abandon" -> "abandon $first ${arguments[1]} by ${arguments[2]}"
            else -> (listOf(name) + arguments.take(2)).joinToString(" ")
        }
    }

    private fun Command.words(session: String): String = when (this) {
        is Command.SetFields -> "set $session ${changes.joinToString(" ") { it.field }}"
        is Command.Answer -> "answer $session $visit $answer"
        is Command.Back -> "back $session $visit $toVisit"
        is Command.UseResponse -> "response $session $response"
        is Command.Note -> "note $session"
        is Command.Complete -> "complete $session $visit"
        is Command.End -> "end $session"
        Command.Discard -> "discard $session"
        is Command.Edit -> "edit $session ${(fields.map { it.field } + notes.map { it.note }).joinToString(" ")}"
    }

    // A number is never used twice.
    private fun SessionView.back(command: Command.Back): SessionView {
        val there = current.workflowsByKey.getValue(workflow.key).session(key, path.first { it.visit == command.toVisit }.section)
        return there.copy(visit = visit + 1, path = there.path.dropLast(1) + there.path.last().copy(visit = visit + 1))
    }

    private fun SessionView.answered(command: Command.Answer): SessionView {
        if (command.visit != visit) return this
        val missing = fields.filter { it.definition.required && it.state == FieldState.NotProvided }
            .map { Problem(it.definition.key, "required", "", visit = visit) }
        if (missing.isNotEmpty()) throw CompassException(ErrorCode.FIELD_PROBLEMS, problems = missing)
        val next = answers.first { it.key == command.answer }.next ?: throw CompassException(ErrorCode.UNLINKED_ANSWER)
        return current.workflowsByKey.getValue(workflow.key).session(key, next)
    }

    override suspend fun run(session: String, commands: List<Command>, actor: String?, commandId: String?): CommandOutcome {
        val outcome = super.run(session, commands, actor, commandId)
        for (edit in commands.filterIsInstance<Command.Edit>()) {
            for (change in edit.fields) field(session, change.field) { copy(state = change.change.toState(), draft = null) }
        }
        return outcome
    }

    /** What was imported last. */
    var imported = byteArrayOf()
        private set

    override suspend fun workflowDocument(key: String, version: WorkflowVersion?): ByteArray = BOILER_DOCUMENT.toByteArray()

    override suspend fun importWorkflow(document: ByteArray): ImportOutcome {
        super.importWorkflow(document)
        imported = document
        val revised = current.workflowsByKey.getValue("boiler-service").run { copy(localRevision = localRevision + 1) }
        change { copy(workflowsByKey = workflowsByKey + (revised.key to revised), workflows = workflows.map { if (it.workflow.key == revised.key) revised.summary() else it }) }
        return ImportOutcome(true, revised.summary())
    }

    override suspend fun saveDraft(session: String, field: String, text: String) {
        super.saveDraft(session, field, text)
        field(session, field) { copy(draft = text.ifEmpty { null }) }
    }

    private fun field(session: String, key: String, change: RecordField.() -> RecordField) = this@FakePhone.change {
        val record = records[session]
        val fields = record?.fields?.map { if (it.definition.key == key) it.change() else it }
        if (fields == null) this else copy(records = records + (session to record.copy(fields = fields)))
    }

    override fun observeSessions(filter: SessionFilter, limit: Int): Flow<SessionPage> = super.observeSessions(filter, Int.MAX_VALUE).map { all ->
        val found = all.sessions.filter { it.fits(filter) }
        SessionPage(found.take(limit), if (found.size > limit) "more" else null)
    }

    private fun SessionSummary.fits(filter: SessionFilter): Boolean {
        val counts = mapOf(ActionStatus.PENDING to actionsPending, ActionStatus.SENT to actionsSent, ActionStatus.FAILED to actionsFailed)
        return (filter.states.isEmpty() || state in filter.states) &&
            (filter.won == null || won == filter.won) &&
            (filter.actionStatus == null || counts.getValue(filter.actionStatus!!) > 0) &&
            (filter.text == null || sectionName.contains(filter.text!!, ignoreCase = true))
    }

    override suspend fun flush(deadline: Duration, urgent: Boolean): FlushReport {
        val report = super.flush(deadline, urgent)
        if (connectivity == Connectivity.Offline) return report.copy(end = FlushEnd.OFFLINE)
        change { copy(outbox = outbox.filter { it.needsPerson }, outboxTotals = outboxTotals.copy(pending = 0)) }
        return report.copy(sent = report.pending.toInt(), pending = 0)
    }

    override suspend fun sendFailedAgain(actor: String?): Int {
        super.sendFailedAgain(actor)
        return current.outboxTotals.failed.toInt()
    }

    override suspend fun abandon(session: String, action: String, actor: String, reason: String, commandId: String): RecordOutcome =
        super.abandon(session, action, actor, reason, commandId).copy(inFlight = inFlight)

    /** The actions whose delivered messages are no longer on the phone. */
    var dropped = emptySet<String>()

    override suspend fun replaySession(session: String, actor: String?, commandId: String): RecordOutcome {
        val outcome = super.replaySession(session, actor, commandId)
        val again = outcome.record.actions.filter { it.canReplay && it.key !in dropped }
        val after = again.fold(outcome.record) { record, action -> record.replaying(action) }
        change { copy(records = records + (session to after)) }
        return RecordOutcome(if (again.isEmpty()) Applied.STALE else Applied.YES, inFlight = false, after)
    }

    private fun SessionRecord.replaying(action: Action): SessionRecord {
        val sent = action.deliveries.first { it.state == DeliveryState.SENT }
        val replay = sent.copy(replay = action.replays.size + 1, state = DeliveryState.PENDING, sentAt = null, frozenAt = NOW)
        val waits = action.copy(canReplay = false, replays = listOf(replay) + action.replays)
        val asked = TimelineEntry.SendRequested(action.key, action.name, corrected = false, sent.revision, replay = true)
        return copy(
            actions = actions.map { if (it.key == action.key) waits else it },
            timeline = timeline + TimelineItem(timeline.maxOf { it.seq } + 1, NOW, 0, null, asked),
        )
    }

    private companion object {
        val COMMANDS = setOf(
            "start", "run", "importWorkflow", "send", "sendCorrected", "abandon", "sendFailedAgain", "replaySession", "setIntegrationEnabled",
            "putEndpoint", "setEndpointEnabled", "secretsChanged", "backup",
        )
    }
}

/** A database that can be replaced, under a handle without a core. */
class FakeDatabase(private val compass: FakeCompass) : Database {
    val calls = mutableListOf<String>()
    var failure: CompassException? = null

    override suspend fun putBack(copy: String, discard: DiscardUndelivered?) = replace("put back $copy", discard, atWork())

    override suspend fun erase(discard: DiscardUndelivered?) = replace("erase", discard, FakeState())

    override suspend fun salvage(to: String): SalvageReport {
        called("salvage $to")
        return SalvageReport(unsent = compass.current.outbox.size.toLong(), gaps = 1)
    }

    private fun replace(call: String, discard: DiscardUndelivered?, after: FakeState) {
        called(if (discard == null) call else "$call, ${discard.actor}: ${discard.reason}")
        val lost = compass.current.outbox.size
        if (lost > 0 && discard == null) throw CompassException(ErrorCode.UNDELIVERED, undelivered = lost.toLong())
        compass.change { after }
    }

    private fun called(call: String) {
        calls += call
        failure?.let { throw it }
    }
}
