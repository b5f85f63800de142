package dev.compass.sample

import dev.compass.core.model.ActionDefinition
import dev.compass.core.model.ActionKind
import dev.compass.core.model.ActionPreview
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Answer
import dev.compass.core.model.Attempt
import dev.compass.core.model.DeliveryState
import dev.compass.core.model.Endpoint
import dev.compass.core.model.EndpointStatus
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldEntry
import dev.compass.core.model.FieldKind
import dev.compass.core.model.FieldOption
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FieldView
import dev.compass.core.model.FileRule
import dev.compass.core.model.Finding
import dev.compass.core.model.Integration
import dev.compass.core.model.Note
import dev.compass.core.model.OutboxTotals
import dev.compass.core.model.PathStep
import dev.compass.core.model.RecordField
import dev.compass.core.model.Response
import dev.compass.core.model.ResponseKind
import dev.compass.core.model.Section
import dev.compass.core.model.SectionView
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionState
import dev.compass.core.model.SessionSummary
import dev.compass.core.model.SessionView
import dev.compass.core.model.Severity
import dev.compass.core.model.Signing
import dev.compass.core.model.TextRule
import dev.compass.core.model.TimelineEntry
import dev.compass.core.model.TimelineItem
import dev.compass.core.model.Workflow
import dev.compass.core.model.WorkflowRef
import dev.compass.core.model.WorkflowSummary
import dev.compass.core.testing.FakeState
import dev.compass.core.testing.action
import dev.compass.core.testing.delivery
import dev.compass.core.testing.outboxItem
import dev.compass.core.testing.sessionRecord
import dev.compass.core.testing.sessionSummary
import dev.compass.core.testing.sessionView
import dev.compass.core.testing.workflowSummary
import java.math.BigDecimal
import java.time.Instant

/** When everything in [atWork] happens, more or less. */
val NOW: Instant = Instant.parse("2027-01-15T08:00:00Z")

private const val TELL = "Tell the office that the service is complete"

/** A phone of a technician at work: a session in progress, one that waits, one that was sent, one that needs a person. */
fun atWork(): FakeState {
    val boiler = boilerService()
    return FakeState(
        views = mapOf("s1" to boiler.session("s1", "inspection"), "s3" to boiler.session("s3", "closed").copy(state = SessionState.COMPLETED)),
        records = mapOf("s3" to sentRecord()),
        sessions = listOf(
            listed("s1", "Inspection and combustion", 25) { copy(state = SessionState.IN_PROGRESS, finishedAt = null) },
            listed("s2", "Service complete", 120) { copy(won = true, actionsPending = 1) },
            listed("s3", "Service complete", 300) { copy(won = true, actionsSent = 1) },
            listed("s4", "Closed with open work", 1500) { copy(actionsFailed = 1) },
            listed("s5", "Arrival and safety", 1700) { copy(state = SessionState.ENDED) },
        ),
        workflows = listOf(boiler.summary(), heatPump().summary().copy(startable = false, findings = listOf(UNLINKED))),
        workflowsByKey = listOf(boiler, heatPump()).associateBy { it.key },
        outbox = listOf(
            outboxItem { copy(session = "s4", workflow = boiler.ref, needsPerson = true, delivery = waiting(DeliveryState.FAILED, "rejected")) },
            outboxItem { copy(session = "s2", workflow = boiler.ref, delivery = waiting(DeliveryState.PENDING, "offline")) },
        ),
        outboxTotals = OutboxTotals(pending = 1, failed = 1, needsPerson = 1, oldestUnsentAt = ago(100)),
        endpoints = listOf(endpoint("office", Signing.StandardWebhooks("office-secret"))),
        integrationEnabled = true,
    )
}

private val UNLINKED = Finding(Severity.INCOMPLETE, "unlinked_answer", "/sections/0/answers/0", "An answer leads nowhere.")

private fun ago(minutes: Long) = NOW.minusSeconds(minutes * 60)

private fun listed(key: String, section: String, minutesAgo: Long, change: SessionSummary.() -> SessionSummary) = sessionSummary {
    copy(
        key = key,
        workflow = boilerService().ref,
        state = SessionState.COMPLETED,
        startedAt = ago(minutesAgo),
        finishedAt = ago(minutesAgo - 20),
        sectionName = section,
    ).change()
}

private fun waiting(state: DeliveryState, reason: String) = delivery { copy(state = state, reason = reason, frozenAt = ago(100)) }

fun endpoint(key: String, signing: Signing = Signing.None) =
    EndpointStatus(Endpoint(key, "https://$key.example/hooks", signing), enabled = true, pending = 1)

/** A workflow of three sections that asks for every sort of thing. */
fun boilerService() = Workflow(
    format = 1,
    key = "boiler-service",
    version = 3,
    name = "Boiler service",
    description = "Annual service of a domestic gas boiler.",
    start = "arrival",
    fields = listOf(
        FieldDefinition("safe", "Is it safe to work here?", "Look for the smell of gas.", required = true, kind = FieldKind.Boolean),
        FieldDefinition("serial", "Serial number of the boiler", kind = FieldKind.Barcode(TextRule(maxLength = 24))),
        FieldDefinition("flue_temp", "Flue temperature (°C)", required = true, kind = FieldKind.Decimal("20", "350")),
        FieldDefinition("co_ratio", "CO/CO₂ ratio", required = true, allowNotApplicable = true, kind = FieldKind.Decimal("0")),
        FieldDefinition(
            "work_done",
            "Work carried out",
            kind = FieldKind.MultipleChoice(
                listOf(FieldOption("burner", "Burner cleaned"), FieldOption("seals", "Seals replaced"), FieldOption("trap", "Trap cleaned")),
            ),
        ),
        FieldDefinition("signature", "Customer's signature", allowNotApplicable = true, kind = FieldKind.Signature(FileRule())),
    ),
    responses = listOf(Response("why", "Why does it need a service every year?", ResponseKind.CUSTOMER_QUESTION, "It keeps it safe.")),
    sections = listOf(
        Section("arrival", "Arrival and safety", CONTENT, listOf("safe", "serial"), listOf(Answer("a1", "Safe, begin", "inspection"))),
        Section(
            "inspection",
            "Inspection and combustion",
            CONTENT,
            listOf("flue_temp", "co_ratio", "work_done"),
            listOf(Answer("a1", "Everything is in order", "closed")),
        ),
        Section(
            "closed",
            "Service complete",
            CONTENT,
            listOf("signature"),
            actions = listOf(ActionDefinition("notify-office", TELL, Integration.WEBHOOKS, ActionKind.SEND_MESSAGE, "office")),
            win = true,
        ),
    ),
)

private const val CONTENT = "Read what is on the plate.\n\nThen measure."

/** As much of its document as takes to add an action and to remove one. */
const val BOILER_DOCUMENT = """{
  "format": 1, "key": "boiler-service", "version": 3, "name": "Boiler service", "start": "arrival",
  "sections": [
    { "key": "arrival", "name": "Arrival", "content": "Arrive.", "answers": [ { "key": "a1", "name": "Go on", "next": "closed" } ] },
    { "key": "closed", "name": "Closed", "content": "Good bye.", "actions": [
      { "key": "notify-office", "name": "Tell", "integration": "webhooks", "kind": "send_message", "endpoint": "office" } ] }
  ]
}"""

private fun heatPump() = Workflow(
    format = 1,
    key = "heat-pump",
    version = 1,
    name = "Heat pump check",
    start = "outdoor",
    sections = listOf(Section("outdoor", "Outdoor unit", answers = listOf(Answer("a1", "It is noisy")))),
)

val Workflow.ref: WorkflowRef get() = WorkflowRef(key, name, version, localRevision)

fun Workflow.summary(): WorkflowSummary = workflowSummary { copy(workflow = ref, description = this@summary.description) }

/** A session that stands in this section, having come there by the first answers. */
fun Workflow.session(key: String, section: String): SessionView {
    val byKey = sections.associateBy { it.key }
    val path = generateSequence(byKey[start]) { if (it.key == section) null else byKey[it.answers.first().next] }.toList()
    val here = path.last()
    val definitions = fields.associateBy { it.key }
    val responses = responses
    return sessionView {
        copy(
            key = key,
            workflow = ref,
            startedAt = NOW,
            visit = path.size,
            section = SectionView(here.key, here.name, here.content, here.answers.isEmpty(), here.win),
            fields = here.fields.map { FieldView(definitions.getValue(it), FieldState.NotProvided) },
            answers = here.answers,
            responses = responses,
            path = path.mapIndexed { index, each -> PathStep(index + 1, each.key, each.name, NOW) },
            canComplete = here.answers.isEmpty(),
            wouldFire = path.flatMap { each -> each.actions.map { ActionPreview(it.key, it.name, each.key, it.endpoint) } },
        )
    }
}

private fun sentRecord(): SessionRecord {
    val boiler = boilerService()
    val temperature = FieldState.Provided(FieldValue.Decimal(BigDecimal("182.50")))
    val asked = boiler.sections.flatMap { section -> section.fields.map { it to section.key } }.toMap()
    val entries = listOf(
        TimelineEntry.Started("Arrival and safety", emptyList()),
        TimelineEntry.Answered("Arrival and safety", "Safe, begin", 2, "Inspection and combustion", superseded = false),
        TimelineEntry.FieldsSet(listOf(FieldEntry("flue_temp", "Flue temperature (°C)", temperature))),
        TimelineEntry.Noted("The key is with the neighbour."),
        TimelineEntry.Completed("Service complete", won = true),
    )
    return sessionRecord {
        copy(
            key = "s3",
            workflow = boiler.ref,
            actor = "Jo",
            startedAt = ago(300),
            finishedAt = ago(280),
            fields = boiler.fields.map {
                RecordField(it, asked[it.key], if (it.key == "flue_temp") temperature else FieldState.NotProvided)
            },
            notes = listOf(Note(4, ago(290), "Jo", "The key is with the neighbour.")),
            timeline = entries.mapIndexed { index, entry -> TimelineItem(index + 1, ago(300L - index), 0, "Jo", entry) },
            actions = listOf(
                action { copy(key = "notify-office", name = TELL, status = ActionStatus.SENT, canAbandon = false, deliveries = listOf(sent())) },
            ),
        )
    }
}

private fun sent() = delivery {
    copy(
        state = DeliveryState.SENT,
        sentAt = ago(200),
        attempts = 2,
        lastAttempts = listOf(attempt(2, 200, 202, "sent"), attempt(1, 279, null, "unreachable")),
    )
}

private fun attempt(number: Int, minutesAgo: Long, status: Int?, outcome: String) =
    Attempt(number, ago(minutesAgo), durationMs = 40, status = status, outcome = outcome, counted = true)
