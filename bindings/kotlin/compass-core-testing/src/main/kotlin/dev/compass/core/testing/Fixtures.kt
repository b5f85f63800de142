package dev.compass.core.testing

import dev.compass.core.model.Action
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Answer
import dev.compass.core.model.Delivery
import dev.compass.core.model.DeliveryState
import dev.compass.core.model.Endpoint
import dev.compass.core.model.EndpointStatus
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldKind
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldView
import dev.compass.core.model.Integration
import dev.compass.core.model.NetworkPolicy
import dev.compass.core.model.OutboxItem
import dev.compass.core.model.PathStep
import dev.compass.core.model.Problem
import dev.compass.core.model.SectionView
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionState
import dev.compass.core.model.SessionSummary
import dev.compass.core.model.SessionView
import dev.compass.core.model.Signing
import dev.compass.core.model.TextRule
import dev.compass.core.model.WorkflowRef
import dev.compass.core.model.WorkflowSummary
import java.time.Instant

// What screens are shown in tests. Each is complete, and takes what a test wants otherwise: `sessionView { copy(actor = "jo") }`.

private val at: Instant = Instant.parse("2027-01-15T08:00:00Z")
private const val SESSION = "0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11"
private val workflow = WorkflowRef("pump-check", "Pump check", 1u, 0u)

/** A session in progress, in its first section: a field `site`, which is not provided, and the answer `on`. */
public fun sessionView(change: SessionView.() -> SessionView = { this }): SessionView = SessionView(
    key = SESSION,
    workflow = workflow,
    state = SessionState.IN_PROGRESS,
    won = null,
    actor = null,
    startedAt = at,
    finishedAt = null,
    visit = 1u,
    section = SectionView("arrive", "Arrive", "Find the pump.", isEnd = false, win = false),
    fields = listOf(fieldView()),
    answers = listOf(Answer("on", "Go on", "done")),
    responses = emptyList(),
    path = listOf(PathStep(1u, "arrive", "Arrive", at, null, null)),
    notes = emptyList(),
    noteDraft = null,
    problems = emptyList(),
    canComplete = false,
    completionProblems = emptyList(),
    wouldFire = emptyList(),
).change()

/** A text field `site` without a value. */
public fun fieldView(change: FieldView.() -> FieldView = { this }): FieldView = FieldView(
    definition = FieldDefinition(
        "site", "Site", help = null, required = true, allowEmpty = false, allowNotApplicable = false, FieldKind.Text(TextRule(null, null, null)),
    ),
    state = FieldState.NotProvided,
    completedAt = null,
    source = null,
    draft = null,
    problem = null,
).change()

/** The field `site` is required and missing. */
public fun problem(change: Problem.() -> Problem = { this }): Problem =
    Problem("site", "required", "it is required", limit = null, section = "arrive", visit = 1u).change()

/** The record of a completed session without actions. */
public fun sessionRecord(change: SessionRecord.() -> SessionRecord = { this }): SessionRecord = SessionRecord(
    key = SESSION,
    workflow = workflow,
    state = SessionState.COMPLETED,
    won = true,
    actor = null,
    startedAt = at,
    finishedAt = at,
    endReason = null,
    path = listOf(PathStep(1u, "arrive", "Arrive", at, "on", "Go on"), PathStep(2u, "done", "Done", at, null, null)),
    fields = emptyList(),
    notes = emptyList(),
    noteDraft = null,
    timeline = emptyList(),
    actions = emptyList(),
).change()

/** An action whose message waits. */
public fun action(change: Action.() -> Action = { this }): Action = Action(
    key = "report",
    name = "Report",
    integration = Integration.WEBHOOKS,
    section = "done",
    endpoint = "office",
    status = ActionStatus.PENDING,
    reason = null,
    failedSends = 0u,
    locked = false,
    canSend = false,
    canSendCorrected = false,
    canAbandon = true,
    deliveries = listOf(delivery()),
).change()

/** A message that waits, and was not tried yet. */
public fun delivery(change: Delivery.() -> Delivery = { this }): Delivery = Delivery(
    id = "0199d0c2-7000-7000-8000-000000000001",
    revision = 1u,
    state = DeliveryState.PENDING,
    reason = null,
    endpoint = "office",
    frozenAt = at,
    sentAt = null,
    nextAttemptAt = null,
    attempts = 0u,
    lastAttempts = emptyList(),
    mayHaveBeenDelivered = false,
    bodySize = 0uL,
    bodySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    holdsRedacted = emptyList(),
).change()

/** A message in the list of those that wait. */
public fun outboxItem(change: OutboxItem.() -> OutboxItem = { this }): OutboxItem =
    OutboxItem(SESSION, workflow, "report", "Report", delivery(), needsPerson = false).change()

/** A session in progress, in the list of sessions. */
public fun sessionSummary(change: SessionSummary.() -> SessionSummary = { this }): SessionSummary = SessionSummary(
    key = SESSION,
    workflow = workflow,
    state = SessionState.IN_PROGRESS,
    won = null,
    actor = null,
    startedAt = at,
    finishedAt = null,
    sectionName = "Arrive",
    actionsNotFired = 0u,
    actionsPending = 0u,
    actionsSent = 0u,
    actionsFailed = 0u,
).change()

/** A workflow that can be started. */
public fun workflowSummary(change: WorkflowSummary.() -> WorkflowSummary = { this }): WorkflowSummary = WorkflowSummary(
    workflow = workflow,
    description = null,
    hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    current = true,
    startable = true,
    findings = emptyList(),
    worst = null,
    importedAt = at,
    retiredAt = null,
).change()

/** An endpoint `office` without signatures, at which nothing waits. */
public fun endpointStatus(change: EndpointStatus.() -> EndpointStatus = { this }): EndpointStatus = EndpointStatus(
    endpoint = Endpoint("office", "https://office.test/hooks", Signing.None, emptyList(), NetworkPolicy.ANY),
    enabled = true,
    disabledReason = null,
    archivedAt = null,
    pausedUntil = null,
    pauseReason = null,
    failingReason = null,
    consecutiveFailures = 0u,
    clockSkewMs = null,
    pending = 0uL,
).change()
