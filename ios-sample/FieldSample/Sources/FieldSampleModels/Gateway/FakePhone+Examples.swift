import CompassCore
import Foundation

extension FakePhone {
    /// When everything in `atWork` happens, more or less: 2027-01-15T08:00:00Z.
    public static let moment = Date(timeIntervalSince1970: 1_800_000_000)

    /// A phone of a technician at work: a session in progress, one that waits, one that was sent, one that needs a person.
    public static var atWork: FakePhone {
        let boiler = WorkflowRef(key: "boiler-service", name: "Boiler service", version: 3, localRevision: 0)
        let problem = Problem(field: "serial", code: "required", message: "", limit: nil, section: "inspection", visit: 1)
        let session = SessionNow(
            key: "s1", workflow: boiler, startedAt: ago(25), visit: 1, section: "inspection", sectionName: "Inspection and combustion",
            content: "Look at the flame.\n\nMeasure the pressure.", fields: fields.map { FieldView(blank: $0) },
            answers: [
                Answer(key: "answer-0", name: "All in order", next: "done"), Answer(key: "answer-1", name: "A part is needed", next: "open"),
            ],
            replies: [Response(key: "dear", name: "Too expensive", kind: .objection, content: "It lasts.")],
            path: [.step(1, "inspection", "Inspection and combustion", nil)], problems: [problem])
        let fired = action(.sent, delivery(.sent, frozen: 280, sentAt: ago(200), [attempt(2, 200, 202, "sent"), attempt(1, 280, nil, "dns")]))
        let failed = action(.failed, reason: "rejected", delivery(.failed, reason: "rejected", frozen: 1480, [attempt(1, 1400, 422, "rejected")]))
        let note = Note(seq: 4, at: ago(290), actor: "Jo", text: "Beware of the dog", edited: false)
        func record(_ key: String, _ minutes: Double, won: Bool, _ actions: [Action]) -> RecordNow {
            RecordNow(
                key: key, workflow: boiler, phase: .completed, won: won, actor: "Jo", startedAt: ago(minutes), finishedAt: ago(minutes - 20),
                fields: [
                    answered(fields[0], .provided(.text("BX-1177"))),
                    answered(fields[1], .provided(.decimal(DecimalValue("1.50")!))),
                    answered(fields[2], .notProvided),
                ],
                notes: [note],
                timeline: [
                    happened(1, minutes, .started(sectionName: "Inspection and combustion", prefilled: [])),
                    happened(4, 290, .noted(text: "Beware of the dog")),
                    happened(
                        5, minutes - 19,
                        .answered(
                            sectionName: "Inspection and combustion", answerName: "All in order", nextVisit: 2,
                            nextSectionName: "Service complete", superseded: false)),
                    happened(6, minutes - 20, .completed(sectionName: "Service complete", won: won)),
                ], actions: actions)
        }
        var phone = FakePhone()
        phone.workflows = [
            WorkflowOutline(
                item: WorkflowItem(workflow: boiler, about: "The yearly service.", startable: true), start: "inspection",
                sections: [
                    OutlineSection(
                        key: "inspection", name: "Inspection and combustion", fields: fields,
                        answers: [OutlineAnswer(name: "All in order", next: "done"), OutlineAnswer(name: "A part is needed", next: "open")]),
                    OutlineSection(
                        key: "done", name: "Service complete",
                        actions: [OutlineAction(key: "notify-office", name: "Tell the office", endpoint: "office")], win: true),
                    OutlineSection(key: "open", name: "Closed with open work"),
                ]),
            WorkflowOutline(
                item: WorkflowItem(
                    workflow: WorkflowRef(key: "draft", name: "Meter exchange", version: 1, localRevision: 0), about: nil, startable: false,
                    findings: [
                        WorkflowFinding(level: .incomplete, code: "unlinked_answer", detail: "", section: "Arrival", answer: "Nobody home")
                    ]),
                start: "arrival", sections: [OutlineSection(key: "arrival", name: "Arrival", answers: [OutlineAnswer(name: "Nobody home", next: nil)])]),
        ]
        phone.sessions = ["s1": session]
        phone.items = [
            summary("s1", boiler, .inProgress, 25, session.sectionName),
            summary("s2", boiler, .completed, won: true, 120, "Service complete", pending: 1),
            summary("s3", boiler, .completed, won: true, 300, "Service complete", sent: 1),
            summary("s4", boiler, .completed, 1500, "Closed with open work", failed: 1),
        ]
        phone.records = [
            "s1": RecordNow(
                key: "s1", workflow: boiler, phase: .inProgress, startedAt: ago(25),
                fields: fields.map { answered($0, .notProvided) }),
            "s3": record("s3", 300, won: true, [fired]), "s4": record("s4", 1500, won: false, [failed]),
        ]
        phone.outbox = [
            message("s4", boiler, delivery(.failed, reason: "rejected", frozen: 1480, [attempt(1, 1400, 422, "rejected")]), needsPerson: true),
            message("s2", boiler, delivery(.pending, reason: "offline", frozen: 100, [])),
        ]
        phone.numbers = OutboxNumbers(waiting: 1, failed: 1, needsPerson: 1, oldest: ago(1480))
        phone.endpoints = [EndpointLine(key: "office", url: "https://office.example/hooks", secret: "office-secret", waiting: 1)]
        phone.integrationEnabled = true
        return phone
    }

    private static func ago(_ minutes: Double) -> Date { moment.addingTimeInterval(-60 * minutes) }

    private static func summary(
        _ key: String, _ workflow: WorkflowRef, _ state: SessionState, won: Bool? = nil, _ minutes: Double, _ section: String,
        pending: UInt32 = 0, sent: UInt32 = 0, failed: UInt32 = 0
    ) -> SessionSummary {
        SessionSummary(
            key: key, workflow: workflow, state: state, won: won, actor: "Jo", startedAt: ago(minutes), finishedAt: nil,
            sectionName: section, actionsNotFired: 0, actionsPending: pending, actionsSent: sent, actionsFailed: failed)
    }

    private static func action(_ status: ActionStatus, reason: String? = nil, _ delivery: Delivery) -> Action {
        Action(
            key: "notify-office", name: "Tell the office", integration: .webhooks, section: "done", endpoint: "office", status: status,
            reason: reason, failedSends: status == .failed ? 1 : 0, locked: false, canSend: status == .failed, canSendCorrected: false,
            canAbandon: status == .failed, deliveries: [delivery])
    }

    private static func message(_ session: String, _ workflow: WorkflowRef, _ delivery: Delivery, needsPerson: Bool = false) -> OutboxItem {
        OutboxItem(
            session: session, workflow: workflow, action: "notify-office", actionName: "Tell the office", delivery: delivery,
            needsPerson: needsPerson)
    }

    private static func delivery(
        _ state: DeliveryState, reason: String? = nil, frozen minutes: Double, sentAt: Date? = nil, _ attempts: [Attempt]
    ) -> Delivery {
        Delivery(
            id: "msg_1", revision: 1, state: state, reason: reason, endpoint: "office", frozenAt: ago(minutes), sentAt: sentAt,
            nextAttemptAt: nil, attempts: UInt32(attempts.count), lastAttempts: attempts, mayHaveBeenDelivered: false, bodySize: 2,
            bodySha256: "", holdsRedacted: [])
    }

    private static func attempt(_ number: UInt32, _ minutes: Double, _ status: UInt16?, _ outcome: String) -> Attempt {
        Attempt(
            number: number, at: ago(minutes), durationMs: 40, status: status, outcome: outcome, counted: true, mayHaveBeenDelivered: false)
    }

    private static func happened(_ seq: UInt32, _ minutes: Double, _ entry: TimelineEntry) -> TimelineItem {
        TimelineItem(seq: seq, at: ago(minutes), utcOffset: 0, actor: "Jo", entry: entry)
    }

    private static func answered(_ field: FieldDefinition, _ state: FieldState) -> RecordField {
        RecordField(definition: field, section: "inspection", state: state, completedAt: nil, source: nil, draft: nil)
    }

    private static var fields: [FieldDefinition] {
        let options = [FieldOption(key: "seal", name: "Seal"), FieldOption(key: "valve", name: "Valve")]
        return [
            FieldDefinition(
                key: "serial", name: "Serial number", help: "On the plate below the burner.", required: true, allowEmpty: false,
                allowNotApplicable: false, kind: .barcode(TextRule(minLength: nil, maxLength: nil, pattern: nil))),
            FieldDefinition(
                key: "pressure", name: "Pressure", help: nil, required: false, allowEmpty: false, allowNotApplicable: true,
                kind: .decimal(min: nil, max: nil, decimalPlaces: nil)),
            FieldDefinition(
                key: "parts", name: "Parts", help: nil, required: false, allowEmpty: false, allowNotApplicable: false,
                kind: .multipleChoice(options: options, min: nil, max: nil)),
        ]
    }
}
