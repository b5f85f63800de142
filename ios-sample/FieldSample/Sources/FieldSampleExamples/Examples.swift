import CompassCore
import CompassCoreFakes
import FieldSampleModels
import Foundation

extension FakeCompass {
    /// A handle that shows this.
    public convenience init(_ contents: FakeState) {
        self.init()
        change { $0 = contents }
    }
}

extension FakeState {
    /// The first day.
    public static var empty: FakeState { FakeCompass().current.with { $0.integrationEnabled = false } }

    /// A phone of a technician at work: a session in progress, one that waits, one that was sent, one that needs a person.
    public static var atWork: FakeState {
        let boiler = WorkflowRef.fixture(key: "boiler-service", name: "Boiler service", version: 3)
        let meter = WorkflowRef.fixture(key: "draft", name: "Meter exchange")
        let session = SessionView.fixture(
            key: "s1", workflow: boiler, startedAt: ago(25),
            section: .fixture(
                key: "inspection", name: "Inspection and combustion", content: "Look at the flame.\n\nMeasure the pressure."),
            fields: fields.map { .fixture(definition: $0) },
            answers: [
                Answer(key: "answer-0", name: "All in order", next: "done"), Answer(key: "answer-1", name: "A part is needed", next: "open"),
            ],
            responses: [Response(key: "dear", name: "Too expensive", kind: .objection, content: "It lasts.")],
            path: [.fixture(section: "inspection", sectionName: "Inspection and combustion")],
            problems: [.fixture(field: "serial", code: "required", section: "inspection", visit: 1)])
        // Where the first answer leads.
        let fires = ActionPreview(key: "notify-office", name: "Tell the office", section: "done", endpoint: "office")
        var done = session
        done.visit = 2
        done.section = .fixture(key: "done", name: "Service complete", isEnd: true, win: true)
        (done.fields, done.answers, done.problems, done.canComplete, done.wouldFire) = ([], [], [], true, [fires])
        done.path[0].answer = "answer-0"
        done.path[0].answerName = "All in order"
        done.path.append(.fixture(visit: 2, section: "done", sectionName: "Service complete"))
        let fired = action(.sent, delivery(.sent, frozen: 280, sentAt: ago(200), [attempt(2, 200, 202, "sent"), attempt(1, 280, nil, "dns")]))
        let failed = action(.failed, reason: "rejected", delivery(.failed, reason: "rejected", frozen: 1480, [attempt(1, 1400, 422, "rejected")]))
        let note = Note(seq: 4, at: ago(290), actor: "Jo", text: "Beware of the dog", edited: false)
        func record(_ key: String, _ minutes: Double, won: Bool, _ actions: [Action]) -> SessionRecord {
            .fixture(
                key: key, workflow: boiler, won: won, actor: "Jo", startedAt: ago(minutes), finishedAt: ago(minutes - 20),
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
        var phone = Self.empty
        phone.workflowsByKey = [
            boiler.key: .fixture(
                key: boiler.key, version: 3, name: boiler.name, description: "The yearly service.", start: "inspection", fields: fields,
                sections: [
                    section("inspection", "Inspection and combustion", fields: fields.map(\.key), session.answers),
                    section(
                        "done", "Service complete",
                        actions: [
                            ActionDefinition(
                                key: "notify-office", name: "Tell the office", integration: .webhooks, kind: .sendMessage, endpoint: "office")
                        ], win: true),
                    section("open", "Closed with open work"),
                ]),
            meter.key: .fixture(
                key: meter.key, name: meter.name, start: "arrival",
                sections: [section("arrival", "Arrival", [Answer(key: "answer-0", name: "Nobody home", next: nil)])]),
        ]
        phone.workflows = [
            .fixture(workflow: boiler, description: "The yearly service."),
            .fixture(
                workflow: meter, startable: false,
                findings: [
                    Finding(severity: .incomplete, code: "unlinked_answer", pointer: "/sections/0/answers/0", message: "")
                ]),
        ]
        phone.views = ["s1": session]
        for (key, minutes) in [("s3", 300.0), ("s4", 1500)] {
            phone.views[key] = .fixture(key: key, workflow: boiler, state: .completed, startedAt: ago(minutes))
        }
        phone.answers = ["answer-0": done]
        phone.sessions = [
            summary("s1", boiler, .inProgress, 25, session.section.name),
            summary("s2", boiler, .completed, won: true, 120, "Service complete", pending: 1),
            summary("s3", boiler, .completed, won: true, 300, "Service complete", sent: 1),
            summary("s4", boiler, .completed, 1500, "Closed with open work", failed: 1),
        ]
        phone.records = [
            "s1": .fixture(
                key: "s1", workflow: boiler, state: .inProgress, won: nil, startedAt: ago(25), finishedAt: nil,
                fields: fields.map { answered($0, .notProvided) }),
            "s3": record("s3", 300, won: true, [fired]), "s4": record("s4", 1500, won: false, [failed]),
        ]
        phone.outbox = [
            message("s4", boiler, delivery(.failed, reason: "rejected", frozen: 1480, [attempt(1, 1400, 422, "rejected")]), needsPerson: true),
            message("s2", boiler, delivery(.pending, reason: "offline", frozen: 100, [])),
        ]
        phone.bodies = ["msg_1": #"{"key":"s3","fields":[]}"#]
        phone.outboxTotals = OutboxTotals(pending: 1, failed: 1, oldestUnsentAt: ago(1480), unsentBytes: 4, needsPerson: 1)
        phone.endpoints = [
            .fixture(endpoint: .fixture(signing: .standardWebhooks(secret: "office-secret")), pending: 1)
        ]
        phone.testDelivery = .fixture(status: 202, outcome: "sent")
        phone.flushReport = FlushReport(end: .drained, attempts: 1, sent: 1, retrying: 0, failed: 0, pending: 0)
        phone.integrationEnabled = true
        return phone
    }

    private func with(_ change: (inout FakeState) -> Void) -> FakeState {
        var changed = self
        change(&changed)
        return changed
    }

    private static func section(
        _ key: String, _ name: String, fields: [String] = [], _ answers: [Answer] = [], actions: [ActionDefinition] = [], win: Bool = false
    ) -> WorkflowSection {
        WorkflowSection(key: key, name: name, content: "", fields: fields, answers: answers, actions: actions, win: win)
    }

    private static func ago(_ minutes: Double) -> Date { fixtureTime.addingTimeInterval(-60 * minutes) }

    private static func summary(
        _ key: String, _ workflow: WorkflowRef, _ state: SessionState, won: Bool? = nil, _ minutes: Double, _ section: String,
        pending: UInt32 = 0, sent: UInt32 = 0, failed: UInt32 = 0
    ) -> SessionSummary {
        .fixture(
            key: key, workflow: workflow, state: state, won: won, actor: "Jo", startedAt: ago(minutes), sectionName: section,
            actionsPending: pending, actionsSent: sent, actionsFailed: failed)
    }

    private static func action(_ status: ActionStatus, reason: String? = nil, _ delivery: Delivery) -> Action {
        var action = Action.fixture(
            key: "notify-office", name: "Tell the office", status: status, reason: reason, failedSends: status == .failed ? 1 : 0,
            canSend: status == .failed, canAbandon: status == .failed, deliveries: [delivery])
        action.canReplay = status == .sent
        return action
    }

    private static func message(_ session: String, _ workflow: WorkflowRef, _ delivery: Delivery, needsPerson: Bool = false) -> OutboxItem {
        .fixture(
            session: session, workflow: workflow, action: "notify-office", actionName: "Tell the office", delivery: delivery,
            needsPerson: needsPerson)
    }

    private static func delivery(
        _ state: DeliveryState, reason: String? = nil, frozen minutes: Double, sentAt: Date? = nil, _ attempts: [Attempt]
    ) -> Delivery {
        .fixture(
            id: "msg_1", state: state, reason: reason, frozenAt: ago(minutes), sentAt: sentAt, attempts: UInt32(attempts.count),
            lastAttempts: attempts)
    }

    private static func attempt(_ number: UInt32, _ minutes: Double, _ status: UInt16?, _ outcome: String) -> Attempt {
        Attempt(
            number: number, at: ago(minutes), durationMs: 40, status: status, outcome: outcome, counted: true, mayHaveBeenDelivered: false)
    }

    private static func happened(_ seq: UInt32, _ minutes: Double, _ entry: TimelineEntry) -> TimelineItem {
        TimelineItem(seq: seq, at: ago(minutes), utcOffset: 0, actor: "Jo", entry: entry)
    }

    private static func answered(_ field: FieldDefinition, _ state: FieldState) -> RecordField {
        .fixture(definition: field, section: "inspection", state: state)
    }

    private static var fields: [FieldDefinition] {
        let options = [FieldOption(key: "seal", name: "Seal"), FieldOption(key: "valve", name: "Valve")]
        return [
            .fixture(
                key: "serial", name: "Serial number", help: "On the plate below the burner.", required: true,
                kind: .barcode(TextRule(minLength: nil, maxLength: nil, pattern: nil))),
            .fixture(key: "pressure", name: "Pressure", allowNotApplicable: true, kind: .decimal(min: nil, max: nil, decimalPlaces: nil)),
            .fixture(key: "parts", name: "Parts", kind: .multipleChoice(options: options, min: nil, max: nil)),
        ]
    }
}
