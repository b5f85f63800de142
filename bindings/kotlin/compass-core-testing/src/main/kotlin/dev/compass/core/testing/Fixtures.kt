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

// Values for tests of screens. Each is complete, and a test changes the members that it is about: `sessionView { copy(actor = "jo") }`.

internal val at: Instant = Instant.parse("2027-01-15T08:00:00Z")
private const val SESSION = "0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11"
private val workflow = WorkflowRef("pump-check", "Pump check", 1)

/** A session in progress, in its first section: a field `site`, which is not provided, and the answer `on`. */
public fun sessionView(change: SessionView.() -> SessionView = { this }): SessionView = SessionView(
    key = SESSION,
    workflow = workflow,
    state = SessionState.IN_PROGRESS,
    startedAt = at,
    visit = 1,
    section = SectionView("arrive", "Arrive", "Find the pump."),
    fields = listOf(fieldView()),
    answers = listOf(Answer("on", "Go on", "done")),
    path = listOf(PathStep(1, "arrive", "Arrive", at)),
).change()

/** A text field `site` without a value. */
public fun fieldView(change: FieldView.() -> FieldView = { this }): FieldView = FieldView(
    definition = FieldDefinition("site", "Site", required = true, kind = FieldKind.Text(TextRule())),
    state = FieldState.NotProvided,
).change()

/** The field `site` is required and missing. */
public fun problem(change: Problem.() -> Problem = { this }): Problem =
    Problem("site", "required", "it is required", section = "arrive", visit = 1).change()

/** The record of a completed session without actions. */
public fun sessionRecord(change: SessionRecord.() -> SessionRecord = { this }): SessionRecord = SessionRecord(
    key = SESSION,
    workflow = workflow,
    state = SessionState.COMPLETED,
    won = true,
    startedAt = at,
    finishedAt = at,
    path = listOf(PathStep(1, "arrive", "Arrive", at, "on", "Go on"), PathStep(2, "done", "Done", at)),
).change()

/** An action whose message waits. */
public fun action(change: Action.() -> Action = { this }): Action = Action(
    key = "report",
    name = "Report",
    integration = Integration.WEBHOOKS,
    section = "done",
    endpoint = "office",
    status = ActionStatus.PENDING,
    canAbandon = true,
    deliveries = listOf(delivery()),
).change()

/** A message that waits, without an attempt yet. */
public fun delivery(change: Delivery.() -> Delivery = { this }): Delivery = Delivery(
    id = "0199d0c2-7000-7000-8000-000000000001",
    revision = 1,
    state = DeliveryState.PENDING,
    endpoint = "office",
    frozenAt = at,
    bodySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
).change()

/** A message of the outbox that waits. */
public fun outboxItem(change: OutboxItem.() -> OutboxItem = { this }): OutboxItem =
    OutboxItem(SESSION, workflow, "report", "Report", delivery()).change()

/** A session in progress, in the list of sessions. */
public fun sessionSummary(change: SessionSummary.() -> SessionSummary = { this }): SessionSummary = SessionSummary(
    key = SESSION,
    workflow = workflow,
    state = SessionState.IN_PROGRESS,
    startedAt = at,
    sectionName = "Arrive",
).change()

/** A workflow that can be started. */
public fun workflowSummary(change: WorkflowSummary.() -> WorkflowSummary = { this }): WorkflowSummary = WorkflowSummary(
    workflow = workflow,
    hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    current = true,
    startable = true,
    importedAt = at,
).change()

/** An endpoint `office` without signatures, for which no message waits. */
public fun endpointStatus(change: EndpointStatus.() -> EndpointStatus = { this }): EndpointStatus = EndpointStatus(
    endpoint = Endpoint("office", "https://office.test/hooks", Signing.None),
    enabled = true,
).change()
