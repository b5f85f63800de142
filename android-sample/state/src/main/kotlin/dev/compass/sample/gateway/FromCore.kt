package dev.compass.sample.gateway

import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.model.Action
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.DeliveryState
import dev.compass.core.model.EndpointStatus
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldKind
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FileRule
import dev.compass.core.model.Finding
import dev.compass.core.model.NetworkPolicy
import dev.compass.core.model.Note
import dev.compass.core.model.OutboxItem
import dev.compass.core.model.Problem
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionSummary
import dev.compass.core.model.SessionView
import dev.compass.core.model.Signing
import dev.compass.core.model.TextRule
import dev.compass.core.model.TimelineEntry
import dev.compass.core.model.ValueSource
import dev.compass.core.model.Workflow
import dev.compass.core.model.WorkflowRef
import dev.compass.core.model.WorkflowSummary
import dev.compass.core.model.FieldEntry as CoreFieldEntry
import dev.compass.core.model.FieldOption as CoreOption
import dev.compass.core.model.ResponseKind as CoreResponseKind
import dev.compass.core.model.SessionState as CoreSessionState
import dev.compass.core.model.Severity as CoreSeverity

// From the core's words to the app's.

internal fun CompassException.gateway() =
    GatewayFailure(code, problems.map { it.app() }, findings.map { it.app(null) }, count = lost())

// The core counts in its words alone: "2 messages are …", and without a number where it cannot.
private fun CompassException.lost(): Int? = if (code == ErrorCode.UNDELIVERED) detail.substringBefore(' ').toIntOrNull() else null

internal fun Problem.app() = FieldProblem(field, code, limit, message, visit)

internal fun WorkflowRef.app() = WorkflowName(key, name, version, localRevision)

/** With the names of what it is about, where the workflow is at hand. */
internal fun Finding.app(workflow: Workflow?): WorkflowFinding {
    val place = pointer.removePrefix("/").split('/')
    val section = workflow?.sections?.getOrNull(place.after("sections"))
    return WorkflowFinding(
        when (severity) {
            CoreSeverity.ERROR -> Severity.ERROR
            CoreSeverity.INCOMPLETE -> Severity.INCOMPLETE
            CoreSeverity.WARNING -> Severity.WARNING
        },
        code,
        pointer,
        message,
        section?.name,
        section?.answers?.getOrNull(place.after("answers"))?.name,
    )
}

private fun List<String>.after(list: String): Int = indexOf(list).let { if (it < 0) null else getOrNull(it + 1) }?.toIntOrNull() ?: -1

internal fun WorkflowSummary.app(content: Workflow?) =
    WorkflowItem(workflow.app(), description, startable, findings.map { it.app(content) })

internal fun Workflow.outline(item: WorkflowItem): WorkflowOutline {
    val library = fields.associateBy { it.key }
    return WorkflowOutline(
        item,
        start,
        sections.map { section ->
            OutlineSection(
                section.key,
                section.name,
                section.fields.mapNotNull { library[it]?.app() },
                section.answers.map { OutlineAnswer(it.name, it.next) },
                section.actions.map { OutlineAction(it.key, it.name, it.endpoint) },
                section.win,
            )
        },
    )
}

internal fun FieldDefinition.app(): FieldInfo {
    val base = FieldInfo(key, name, FieldType.TEXT, help, required, allowEmpty, allowNotApplicable)
    return when (val kind = kind) {
        is FieldKind.Text -> base.of(FieldType.TEXT, kind.rule)
        is FieldKind.Multiline -> base.of(FieldType.MULTILINE, kind.rule)
        is FieldKind.Email -> base.of(FieldType.EMAIL, kind.rule)
        is FieldKind.Phone -> base.of(FieldType.PHONE, kind.rule)
        is FieldKind.Url -> base.of(FieldType.URL, kind.rule)
        is FieldKind.Barcode -> base.of(FieldType.BARCODE, kind.rule)
        is FieldKind.Integer -> base.copy(type = FieldType.INTEGER, min = kind.min?.toString(), max = kind.max?.toString())
        is FieldKind.Decimal -> base.copy(type = FieldType.DECIMAL, min = kind.min, max = kind.max)
        FieldKind.Boolean -> base.copy(type = FieldType.BOOLEAN)
        is FieldKind.Date -> base.copy(type = FieldType.DATE, min = kind.min, max = kind.max)
        is FieldKind.Time -> base.copy(type = FieldType.TIME, min = kind.min, max = kind.max)
        is FieldKind.DateTime -> base.copy(type = FieldType.DATETIME, min = kind.min, max = kind.max)
        is FieldKind.SingleChoice -> base.copy(type = FieldType.SINGLE_CHOICE, options = kind.options.app())
        is FieldKind.MultipleChoice -> base.copy(type = FieldType.MULTIPLE_CHOICE, options = kind.options.app())
        is FieldKind.Location -> base.copy(type = FieldType.LOCATION)
        is FieldKind.Attachment -> base.of(FieldType.ATTACHMENT, kind.rule)
        is FieldKind.Signature -> base.of(FieldType.SIGNATURE, kind.rule)
    }
}

private fun FieldInfo.of(type: FieldType, rule: TextRule) = copy(type = type, maxLength = rule.maxLength)

private fun FieldInfo.of(type: FieldType, rule: FileRule) = copy(type = type, mediaTypes = rule.mediaTypes)

private fun List<CoreOption>.app() = map { Option(it.key, it.name) }

internal fun FieldState.app(): Holding = when (this) {
    // What was redacted has no screen yet.
    FieldState.NotProvided, FieldState.Redacted -> Holding.NotProvided
    FieldState.Empty -> Holding.Empty
    FieldState.NotApplicable -> Holding.NotApplicable
    is FieldState.Provided -> Holding.Given(value.app())
}

private fun FieldValue.app(): Value = when (this) {
    is FieldValue.Text -> Value.Words(value)
    is FieldValue.Integer -> Value.Whole(value)
    is FieldValue.Decimal -> Value.Exact(value)
    is FieldValue.Boolean -> Value.YesNo(value)
    is FieldValue.Date -> Value.Day(value)
    is FieldValue.Time -> Value.TimeOfDay(value)
    is FieldValue.DateTime -> Value.Moment(value)
    is FieldValue.Choice -> Value.One(value)
    is FieldValue.Choices -> Value.Many(value)
    is FieldValue.Location -> Value.Place(value.latitude, value.longitude, value.accuracyM, value.capturedAt)
    is FieldValue.File -> Value.File(value.sha256, value.mediaType, value.size, value.name)
}

internal fun CoreSessionState.app(): SessionState = when (this) {
    CoreSessionState.IN_PROGRESS -> SessionState.IN_PROGRESS
    CoreSessionState.COMPLETED -> SessionState.COMPLETED
    CoreSessionState.ENDED -> SessionState.ENDED
    CoreSessionState.DISCARDED -> SessionState.DISCARDED
}

internal fun SessionView.app() = SessionNow(
    key,
    workflow.app(),
    state.app(),
    startedAt,
    visit,
    section.key,
    section.name,
    section.content,
    section.isEnd,
    section.win,
    fields.map { SessionField(it.definition.app(), it.state.app(), it.draft, (it.source as? ValueSource.Prefill)?.name) },
    answers.map { SessionAnswer(it.key, it.name) },
    responses.map { SessionResponse(it.key, it.name, it.kind.app(), it.content) },
    path.map { Step(it.visit, it.section, it.sectionName, it.answerName) },
    notes.map { it.app() },
    problems.map { it.app() },
    canComplete,
    completionProblems.map { it.app() },
    wouldFire.map { PlannedMessage(it.key, it.name, it.endpoint) },
    noteDraft,
)

private fun CoreResponseKind.app() = when (this) {
    CoreResponseKind.OBJECTION -> ResponseKind.OBJECTION
    CoreResponseKind.CUSTOMER_QUESTION -> ResponseKind.CUSTOMER_QUESTION
}

internal fun Note.app() = SessionNote(seq, at, text.orEmpty(), actor, edited)

internal fun SessionSummary.app() = SessionItem(
    key,
    workflow.app(),
    state.app(),
    won == true,
    actor,
    startedAt,
    finishedAt,
    sectionName,
    actionsNotFired,
    actionsPending,
    actionsSent,
    actionsFailed,
)

internal fun SessionRecord.app() = RecordNow(
    key,
    workflow.app(),
    state.app(),
    won == true,
    actor,
    startedAt,
    finishedAt,
    endReason,
    fields.map { RecordField(it.definition.app(), it.state.app(), it.section != null, it.completedAt, it.draft) },
    notes.map { it.app() },
    timeline.map { Moment(it.seq, it.at, it.utcOffset, it.actor, it.entry.app()) },
    actions.map { it.app() },
)

private fun TimelineEntry.app(): List<Happening> = when (this) {
    is TimelineEntry.Started -> listOf(Happening.Started(sectionName, prefilled.map { it.app() }))
    is TimelineEntry.FieldsSet -> listOf(Happening.FieldsSet(fields.map { it.app() }))
    is TimelineEntry.Answered -> listOf(Happening.Answered(sectionName, answerName, superseded))
    is TimelineEntry.WentBack -> listOf(Happening.WentBack(sectionName))
    is TimelineEntry.ResponseUsed -> listOf(Happening.ResponseUsed(responseName, kind.app(), sectionName))
    is TimelineEntry.Noted -> listOf(Happening.Noted(text.orEmpty()))
    is TimelineEntry.Completed -> listOf(Happening.Completed(sectionName, won))
    is TimelineEntry.Ended -> listOf(Happening.Ended(sectionName, reason))
    TimelineEntry.Discarded -> listOf(Happening.Discarded)
    is TimelineEntry.Edited ->
        fields.map { Happening.FieldEdited(it.fieldName, it.field, it.from.app(), it.to.app()) } + notes.map { Happening.NoteEdited(it.to.orEmpty()) }
    is TimelineEntry.SendRequested -> listOf(Happening.SendRequested(actionName, corrected))
    is TimelineEntry.Abandoned -> listOf(Happening.Abandoned(actionName, reason))
    is TimelineEntry.Redacted -> emptyList()
}

private fun CoreFieldEntry.app() = NamedHolding(field, fieldName, state.app())

internal fun ActionStatus.app(): ActionState = when (this) {
    ActionStatus.NOT_FIRED -> ActionState.NOT_FIRED
    ActionStatus.PENDING -> ActionState.PENDING
    ActionStatus.SENT -> ActionState.SENT
    ActionStatus.FAILED -> ActionState.FAILED
}

internal fun Action.app(): RecordAction {
    val newest = deliveries.firstOrNull()
    return RecordAction(
        key,
        name,
        endpoint,
        status.app(),
        reason,
        failedSends,
        locked,
        canSend,
        canSendCorrected,
        canAbandon,
        newest?.id,
        newest?.sentAt,
        newest?.nextAttemptAt,
        newest?.attempts ?: 0,
        newest?.lastAttempts.orEmpty().map { Attempt(it.number, it.at, it.status, it.outcome) },
        newest?.mayHaveBeenDelivered ?: false,
    )
}

internal fun OutboxItem.app() = OutboxLine(
    session,
    workflow.app(),
    action,
    actionName,
    delivery.endpoint,
    if (delivery.state == DeliveryState.FAILED) ActionState.FAILED else ActionState.PENDING,
    delivery.reason,
    delivery.frozenAt,
    delivery.nextAttemptAt,
    delivery.attempts,
    needsPerson,
    delivery.mayHaveBeenDelivered,
)

internal fun EndpointStatus.app() = EndpointLine(
    endpoint.key,
    endpoint.url,
    (endpoint.signing as? Signing.StandardWebhooks)?.secret,
    endpoint.network == NetworkPolicy.UNMETERED,
    enabled,
    disabledReason,
    failingReason,
    pending.toInt(),
)
