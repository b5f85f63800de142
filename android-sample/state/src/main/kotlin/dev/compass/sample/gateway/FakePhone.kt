package dev.compass.sample.gateway

import java.math.BigDecimal
import java.time.Instant

/**
 * What [FakeGateway] has. Immutable: change it by a copy.
 *
 * @property failure every command is refused with it until it is null again.
 * @property inFlight a message that is given up is on its way already.
 */
data class FakePhone(
    val workflows: List<WorkflowOutline> = emptyList(),
    val sessions: Map<String, SessionNow> = emptyMap(),
    val items: List<SessionItem> = emptyList(),
    val records: Map<String, RecordNow> = emptyMap(),
    val outbox: List<OutboxLine> = emptyList(),
    val endpoints: List<EndpointLine> = emptyList(),
    val integrationEnabled: Boolean = false,
    val failure: GatewayFailure? = null,
    val inFlight: Boolean = false,
) {
    /** Phones to begin with. */
    companion object {
        /** When everything in [atWork] happens, more or less. */
        val NOW: Instant = Instant.parse("2027-01-15T08:00:00Z")

        /** A phone of a technician at work: a session in progress, one that waits, one that was sent, one that needs a person. */
        fun atWork(): FakePhone {
            val boiler = boilerService()
            val session = boiler.session("s1", "inspection")
            return FakePhone(
                workflows = listOf(boiler, draftWorkflow()),
                sessions = mapOf("s1" to session),
                items = listOf(
                    item("s1", SessionState.IN_PROGRESS, "Inspection and combustion", minutesAgo = 25),
                    item("s2", SessionState.COMPLETED, "Service complete", minutesAgo = 120, won = true, pending = 1),
                    item("s3", SessionState.COMPLETED, "Service complete", minutesAgo = 300, won = true, sent = 1),
                    item("s4", SessionState.COMPLETED, "Closed with open work", minutesAgo = 1500, failed = 1),
                    item("s5", SessionState.ENDED, "Arrival and safety", minutesAgo = 1700, notFired = 0),
                ),
                records = mapOf("s1" to session.record(), "s3" to sentRecord(boiler)),
                outbox = listOf(line("s4", ActionState.FAILED, "rejected", needsPerson = true), line("s2", ActionState.PENDING, "offline")),
                endpoints = listOf(EndpointLine("office", "https://office.example/hooks", "office-secret", waiting = 1)),
                integrationEnabled = true,
            )
        }

        private fun name(revision: Int = 0) = WorkflowName("boiler-service", "Boiler service", 3, revision)

        private fun ago(minutes: Long) = NOW.minusSeconds(minutes * 60)

        private fun item(
            key: String,
            state: SessionState,
            section: String,
            minutesAgo: Long,
            won: Boolean = false,
            notFired: Int = 0,
            pending: Int = 0,
            sent: Int = 0,
            failed: Int = 0,
        ): SessionItem {
            val finished = if (state == SessionState.IN_PROGRESS) null else ago(minutesAgo - 20)
            return SessionItem(key, name(), state, won, "Jo", ago(minutesAgo), finished, section, notFired, pending, sent, failed)
        }

        private fun line(session: String, state: ActionState, reason: String, needsPerson: Boolean = false) = OutboxLine(
            session,
            name(),
            "notify-office",
            "Tell the office that the service is complete",
            "office",
            state,
            reason,
            ago(100),
            if (needsPerson) null else NOW.plusSeconds(300),
            if (needsPerson) 1 else 0,
            needsPerson,
            mayHaveBeenDelivered = false,
        )

        /** A workflow of three sections that asks for every sort of thing. */
        fun boilerService(): WorkflowOutline {
            val safe = FieldInfo("safe", "Is it safe to work here?", FieldType.BOOLEAN, "Look for the smell of gas.", required = true)
            val serial = FieldInfo("serial", "Serial number of the boiler", FieldType.BARCODE, maxLength = 24)
            val temperature =
                FieldInfo("flue_temp", "Flue temperature (°C)", FieldType.DECIMAL, required = true, min = "20", max = "350")
            val ratio = FieldInfo("co_ratio", "CO/CO₂ ratio", FieldType.DECIMAL, required = true, allowNotApplicable = true, min = "0")
            val work = FieldInfo(
                "work_done",
                "Work carried out",
                FieldType.MULTIPLE_CHOICE,
                options = listOf(Option("burner", "Burner cleaned"), Option("seals", "Seals replaced"), Option("trap", "Trap cleaned")),
            )
            val signature = FieldInfo("signature", "Customer's signature", FieldType.SIGNATURE, allowNotApplicable = true)
            return WorkflowOutline(
                WorkflowItem(name(), "Annual service of a domestic gas boiler.", startable = true),
                "arrival",
                listOf(
                    OutlineSection("arrival", "Arrival and safety", listOf(safe, serial), listOf(OutlineAnswer("Safe, begin", "inspection"))),
                    OutlineSection(
                        "inspection",
                        "Inspection and combustion",
                        listOf(temperature, ratio, work),
                        listOf(OutlineAnswer("Everything is in order", "closed")),
                    ),
                    OutlineSection(
                        "closed",
                        "Service complete",
                        listOf(signature),
                        actions = listOf(OutlineAction("notify-office", "Tell the office that the service is complete", "office")),
                        win = true,
                    ),
                ),
            )
        }

        private fun draftWorkflow() = WorkflowOutline(
            WorkflowItem(
                WorkflowName("heat-pump", "Heat pump check", 1),
                null,
                startable = false,
                listOf(
                    WorkflowFinding(
                        Severity.INCOMPLETE,
                        "unlinked_answer",
                        "/sections/0/answers/1",
                        "An answer leads nowhere.",
                        "Outdoor unit",
                        "It is noisy",
                    ),
                ),
            ),
            "outdoor",
            listOf(OutlineSection("outdoor", "Outdoor unit", answers = listOf(OutlineAnswer("It is noisy", null)))),
        )

        private fun sentRecord(boiler: WorkflowOutline): RecordNow {
            val fields = boiler.sections.flatMap { it.fields }
            val temperature = Holding.Given(Value.Exact(BigDecimal("182.50")))
            return RecordNow(
                "s3",
                name(),
                SessionState.COMPLETED,
                won = true,
                actor = "Jo",
                startedAt = ago(300),
                finishedAt = ago(280),
                endReason = null,
                fields = fields.map { RecordField(it, if (it.key == "flue_temp") temperature else Holding.NotProvided, true, null) },
                notes = listOf(SessionNote(4, ago(290), "The key is with the neighbour.", "Jo", edited = false)),
                timeline = listOf(
                    Moment(1, ago(300), 0, "Jo", listOf(Happening.Started("Arrival and safety", emptyList()))),
                    Moment(2, ago(298), 0, "Jo", listOf(Happening.Answered("Arrival and safety", "Safe, begin", superseded = false))),
                    Moment(
                        3,
                        ago(292),
                        0,
                        "Jo",
                        listOf(Happening.FieldsSet(listOf(NamedHolding("flue_temp", "Flue temperature (°C)", temperature)))),
                    ),
                    Moment(4, ago(290), 0, "Jo", listOf(Happening.Noted("The key is with the neighbour."))),
                    Moment(5, ago(280), 0, "Jo", listOf(Happening.Completed("Service complete", won = true))),
                ),
                actions = listOf(
                    RecordAction(
                        "notify-office",
                        "Tell the office that the service is complete",
                        "office",
                        ActionState.SENT,
                        null,
                        failedSends = 0,
                        locked = false,
                        canSend = false,
                        canSendCorrected = false,
                        canAbandon = false,
                        sentAt = ago(200),
                        attempts = 2,
                        lastAttempts = listOf(Attempt(2, ago(200), 202, "sent"), Attempt(1, ago(279), null, "unreachable")),
                    ),
                ),
            )
        }
    }
}

/** A session that stands in this section, having come there by the first answers. */
fun WorkflowOutline.session(key: String, section: String): SessionNow {
    val byKey = sections.associateBy { it.key }
    val path = generateSequence(byKey[start]) { here ->
        if (here.key == section) null else here.answers.firstOrNull()?.next?.let(byKey::get)
    }.toList()
    val steps = path.mapIndexed { index, here ->
        Step(index + 1, here.key, here.name, if (index < path.lastIndex) here.answers.first().name else null)
    }
    return SessionNow(
        key,
        item.workflow,
        SessionState.IN_PROGRESS,
        FakePhone.NOW,
        visit = steps.size,
        section = section,
        sectionName = path.last().name,
        content = "Read what is on the plate.\n\nThen measure.",
        isEnd = path.last().answers.isEmpty(),
        win = path.last().win,
        fields = path.last().fields.map { SessionField(it) },
        answers = path.last().answers.mapIndexed { index, answer -> SessionAnswer("a${index + 1}", answer.name) },
        responses = listOf(
            SessionResponse("why", "Why does it need a service every year?", ResponseKind.CUSTOMER_QUESTION, "It keeps it safe."),
        ),
        path = steps,
        notes = emptyList(),
        problems = emptyList(),
        canComplete = path.last().answers.isEmpty(),
        completionProblems = emptyList(),
        messages = path.flatMap { it.actions }.map { PlannedMessage(it.key, it.name, it.endpoint) },
    )
}

/** The record of a session as far as it is. */
internal fun SessionNow.record() = RecordNow(
    key,
    workflow,
    state,
    won = state == SessionState.COMPLETED && win,
    actor = null,
    startedAt = startedAt,
    finishedAt = if (state == SessionState.IN_PROGRESS) null else FakePhone.NOW,
    endReason = null,
    fields = fields.map { RecordField(it.info, it.holding, onPath = true, completedAt = null) },
    notes = notes,
    timeline = emptyList(),
    actions = emptyList(),
)
