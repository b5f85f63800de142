public import CompassCore
public import Foundation

/// The time of everything in a fixture: 2027-01-15T08:00:00Z, at which ``ManualClock`` begins.
public let fixtureTime = Date(timeIntervalSince1970: 1_800_000_000)

// Values for tests of screens: every member has a default, and a test names those that it is about.

extension WorkflowRef {
    /// A version of a workflow.
    public static func fixture(
        key: String = "visit", name: String = "Visit", version: UInt32 = 1, localRevision: UInt32 = 0
    ) -> WorkflowRef {
        WorkflowRef(
            key: key, name: name, version: version, localRevision: localRevision)
    }
}

extension SessionView {
    /// A session in progress, on a section without fields or answers.
    public static func fixture(
        key: SessionKey = "00000000-0000-7000-8000-000000000001", workflow: WorkflowRef = .fixture(), state: SessionState = .inProgress,
        won: Bool? = nil, actor: String? = nil, startedAt: Date = fixtureTime, finishedAt: Date? = nil, visit: UInt32 = 1,
        section: SectionView = .fixture(), fields: [FieldView] = [], answers: [Answer] = [], responses: [Response] = [],
        path: [PathStep] = [], notes: [Note] = [], noteDraft: String? = nil, problems: [Problem] = [], canComplete: Bool = false,
        completionProblems: [Problem] = [], wouldFire: [ActionPreview] = []
    ) -> SessionView {
        SessionView(
            key: key, workflow: workflow, state: state, won: won, actor: actor, startedAt: startedAt, finishedAt: finishedAt, visit: visit,
            section: section, fields: fields, answers: answers, responses: responses, path: path, notes: notes, noteDraft: noteDraft,
            problems: problems, canComplete: canComplete, completionProblems: completionProblems, wouldFire: wouldFire)
    }
}

extension SectionView {
    /// A section.
    public static func fixture(
        key: String = "arrive", name: String = "Arrive", content: String = "", isEnd: Bool = false, win: Bool = false
    ) -> SectionView {
        SectionView(
            key: key, name: name, content: content, isEnd: isEnd, win: win)
    }
}

extension FieldDefinition {
    /// A field for text that need not be given.
    public static func fixture(
        key: String = "site", name: String = "Site", help: String? = nil, required: Bool = false, allowEmpty: Bool = false,
        allowNotApplicable: Bool = false, kind: FieldKind = .text(TextRule(minLength: nil, maxLength: nil, pattern: nil))
    ) -> FieldDefinition {
        FieldDefinition(
            key: key, name: name, help: help, required: required, allowEmpty: allowEmpty, allowNotApplicable: allowNotApplicable, kind: kind)
    }
}

extension FieldView {
    /// A field without a value.
    public static func fixture(
        definition: FieldDefinition = .fixture(), state: FieldState = .notProvided, completedAt: Date? = nil, source: ValueSource? = nil,
        draft: String? = nil, problem: Problem? = nil
    ) -> FieldView {
        FieldView(
            definition: definition, state: state, completedAt: completedAt, source: source, draft: draft, problem: problem)
    }
}

extension Problem {
    /// A field that is missing.
    public static func fixture(
        field: String = "site", code: String = "required", message: String = "a value is required", limit: String? = nil, section: String? = nil,
        visit: UInt32? = nil
    ) -> Problem {
        Problem(
            field: field, code: code, message: message, limit: limit, section: section, visit: visit)
    }
}

extension PathStep {
    /// The first step of a path.
    public static func fixture(
        visit: UInt32 = 1, section: String = "arrive", sectionName: String = "Arrive", at: Date = fixtureTime, answer: String? = nil,
        answerName: String? = nil
    ) -> PathStep {
        PathStep(
            visit: visit, section: section, sectionName: sectionName, at: at, answer: answer, answerName: answerName)
    }
}

extension SessionSummary {
    /// A session in progress, as a list has it.
    public static func fixture(
        key: SessionKey = "00000000-0000-7000-8000-000000000001", workflow: WorkflowRef = .fixture(), state: SessionState = .inProgress,
        won: Bool? = nil, actor: String? = nil, startedAt: Date = fixtureTime, finishedAt: Date? = nil, sectionName: String = "Arrive",
        actionsNotFired: UInt32 = 0, actionsPending: UInt32 = 0, actionsSent: UInt32 = 0, actionsFailed: UInt32 = 0,
        actionsDiffering: UInt32 = 0
    ) -> SessionSummary {
        SessionSummary(
            key: key, workflow: workflow, state: state, won: won, actor: actor, startedAt: startedAt, finishedAt: finishedAt,
            sectionName: sectionName, actionsNotFired: actionsNotFired, actionsPending: actionsPending, actionsSent: actionsSent,
            actionsFailed: actionsFailed, actionsDiffering: actionsDiffering)
    }
}

extension SessionRecord {
    /// The record of a completed session.
    public static func fixture(
        key: SessionKey = "00000000-0000-7000-8000-000000000001", workflow: WorkflowRef = .fixture(), state: SessionState = .completed,
        won: Bool? = true, actor: String? = nil, startedAt: Date = fixtureTime, finishedAt: Date? = fixtureTime, endReason: String? = nil,
        path: [PathStep] = [], fields: [RecordField] = [], notes: [Note] = [], noteDraft: String? = nil, timeline: [TimelineItem] = [],
        actions: [Action] = []
    ) -> SessionRecord {
        SessionRecord(
            key: key, workflow: workflow, state: state, won: won, actor: actor, startedAt: startedAt, finishedAt: finishedAt,
            endReason: endReason, path: path, fields: fields, notes: notes, noteDraft: noteDraft, timeline: timeline, actions: actions)
    }
}

extension RecordField {
    /// A field of a record, without a value.
    public static func fixture(
        definition: FieldDefinition = .fixture(), section: String? = "arrive", state: FieldState = .notProvided, completedAt: Date? = nil,
        source: ValueSource? = nil, draft: String? = nil
    ) -> RecordField {
        RecordField(
            definition: definition, section: section, state: state, completedAt: completedAt, source: source, draft: draft)
    }
}

extension Action {
    /// An action whose message waits.
    public static func fixture(
        key: String = "report", name: String = "Report", integration: Integration = .webhooks, section: String = "done",
        endpoint: String = "office", status: ActionStatus = .pending, reason: String? = nil, failedSends: UInt32 = 0, locked: Bool = false,
        differsFromSent: Bool = false, deliveredRevision: UInt32? = nil, editNotSent: String? = nil, canSend: Bool = false,
        canSendCorrected: Bool = false, canAbandon: Bool = true, deliveries: [Delivery] = []
    ) -> Action {
        Action(
            key: key, name: name, integration: integration, section: section, endpoint: endpoint, status: status, reason: reason,
            failedSends: failedSends, locked: locked, differsFromSent: differsFromSent, deliveredRevision: deliveredRevision,
            editNotSent: editNotSent, canSend: canSend, canSendCorrected: canSendCorrected, canAbandon: canAbandon, deliveries: deliveries)
    }
}

extension Delivery {
    /// A message that waits.
    public static func fixture(
        id: DeliveryId = "msg_fixture", revision: UInt32 = 1, state: DeliveryState = .pending, reason: String? = nil,
        endpoint: String = "office", frozenAt: Date = fixtureTime, sentAt: Date? = nil, nextAttemptAt: Date? = nil, attempts: UInt32 = 0,
        lastAttempts: [Attempt] = [], mayHaveBeenDelivered: Bool = false, bodySize: UInt64 = 2, bodySha256: String = "",
        holdsRedacted: [String] = []
    ) -> Delivery {
        Delivery(
            id: id, revision: revision, state: state, reason: reason, endpoint: endpoint, frozenAt: frozenAt, sentAt: sentAt,
            nextAttemptAt: nextAttemptAt, attempts: attempts, lastAttempts: lastAttempts, mayHaveBeenDelivered: mayHaveBeenDelivered,
            bodySize: bodySize, bodySha256: bodySha256, holdsRedacted: holdsRedacted)
    }
}

extension OutboxItem {
    /// A message of the outbox that waits.
    public static func fixture(
        session: SessionKey = "00000000-0000-7000-8000-000000000001", workflow: WorkflowRef = .fixture(), action: String = "report",
        actionName: String = "Report", delivery: Delivery = .fixture(), needsPerson: Bool = false
    ) -> OutboxItem {
        OutboxItem(
            session: session, workflow: workflow, action: action, actionName: actionName, delivery: delivery, needsPerson: needsPerson)
    }
}

extension Attempt {
    /// The first attempt, which delivered.
    public static func fixture(
        number: UInt32 = 1, at: Date = fixtureTime, durationMs: UInt64 = 0, status: UInt16? = 200, outcome: String = "sent",
        counted: Bool = false, mayHaveBeenDelivered: Bool = false
    ) -> Attempt {
        Attempt(
            number: number, at: at, durationMs: durationMs, status: status, outcome: outcome, counted: counted,
            mayHaveBeenDelivered: mayHaveBeenDelivered)
    }
}

extension TimelineItem {
    /// The first line of a timeline.
    public static func fixture(
        seq: UInt32 = 1, at: Date = fixtureTime, utcOffset: Int32 = 0, actor: String? = nil,
        entry: TimelineEntry = .started(sectionName: "Arrive", prefilled: [])
    ) -> TimelineItem {
        TimelineItem(seq: seq, at: at, utcOffset: utcOffset, actor: actor, entry: entry)
    }
}

extension Note {
    /// A note as it was written.
    public static func fixture(
        seq: UInt32 = 2, at: Date = fixtureTime, actor: String? = nil, text: String? = "Dog in the yard", edited: Bool = false
    ) -> Note {
        Note(seq: seq, at: at, actor: actor, text: text, edited: edited)
    }
}

extension Endpoint {
    /// An endpoint, unsigned.
    public static func fixture(
        key: String = "office", url: String = "https://office.example/hooks", signing: Signing = .none, headers: [EndpointHeader] = [],
        network: NetworkPolicy = .any
    ) -> Endpoint {
        Endpoint(
            key: key, url: url, signing: signing, headers: headers, network: network)
    }
}

extension EndpointStatus {
    /// An endpoint that works.
    public static func fixture(
        endpoint: Endpoint = .fixture(), enabled: Bool = true, disabledReason: String? = nil, archivedAt: Date? = nil,
        pausedUntil: Date? = nil, pauseReason: String? = nil, failingReason: String? = nil, consecutiveFailures: UInt32 = 0,
        clockSkewMs: Int64? = nil, pending: UInt64 = 0
    ) -> EndpointStatus {
        EndpointStatus(
            endpoint: endpoint, enabled: enabled, disabledReason: disabledReason, archivedAt: archivedAt, pausedUntil: pausedUntil,
            pauseReason: pauseReason, failingReason: failingReason, consecutiveFailures: consecutiveFailures, clockSkewMs: clockSkewMs,
            pending: pending)
    }
}

extension WorkflowSummary {
    /// A workflow that can be started.
    public static func fixture(
        workflow: WorkflowRef = .fixture(), description: String? = nil, hash: String = "", current: Bool = true, startable: Bool = true,
        findings: [Finding] = [], worst: Severity? = nil, importedAt: Date = fixtureTime, retiredAt: Date? = nil
    ) -> WorkflowSummary {
        WorkflowSummary(
            workflow: workflow, description: description, hash: hash, current: current, startable: startable, findings: findings,
            worst: worst, importedAt: importedAt, retiredAt: retiredAt)
    }
}

extension Workflow {
    /// A workflow without sections.
    public static func fixture(
        format: UInt32 = 1, key: String = "visit", version: UInt32 = 1, localRevision: UInt32 = 0, name: String = "Visit",
        description: String? = nil, start: String = "arrive", fields: [FieldDefinition] = [], responses: [Response] = [],
        sections: [WorkflowSection] = []
    ) -> Workflow {
        Workflow(
            format: format, key: key, version: version, localRevision: localRevision, name: name, description: description, start: start,
            fields: fields, responses: responses, sections: sections)
    }
}

extension Totals {
    /// Nothing yet.
    public static func fixture(
        sessions: SessionTotals = .fixture(), byWorkflow: [GroupTotals] = [], byActor: [GroupTotals] = [], actionsNotFired: UInt64 = 0,
        actionsPending: UInt64 = 0, actionsSent: UInt64 = 0, actionsFailed: UInt64 = 0
    ) -> Totals {
        Totals(
            sessions: sessions, byWorkflow: byWorkflow, byActor: byActor, actionsNotFired: actionsNotFired, actionsPending: actionsPending,
            actionsSent: actionsSent, actionsFailed: actionsFailed)
    }
}

extension SessionTotals {
    /// No sessions.
    public static func fixture(
        inProgress: UInt64 = 0, completed: UInt64 = 0, won: UInt64 = 0, ended: UInt64 = 0, discarded: UInt64 = 0
    ) -> SessionTotals {
        SessionTotals(
            inProgress: inProgress, completed: completed, won: won, ended: ended, discarded: discarded)
    }
}

extension MessagePreview {
    /// A message that would be sent.
    public static func fixture(
        action: String = "report", endpoint: String = "office", body: String = "{}", workflowVersion: String = "1",
        sessionState: SessionState? = nil
    ) -> MessagePreview {
        MessagePreview(
            action: action, endpoint: endpoint, body: body, workflowVersion: workflowVersion, sessionState: sessionState)
    }
}

extension TestDelivery {
    /// A test message that arrived.
    public static func fixture(
        delivered: Bool = true, status: UInt16? = 200, outcome: String = "sent", durationMs: UInt64 = 0
    ) -> TestDelivery {
        TestDelivery(
            delivered: delivered, status: status, outcome: outcome, durationMs: durationMs)
    }
}

extension PurgeReport {
    /// Nothing was removed.
    public static func fixture(
        purged: UInt64 = 0, keptUndelivered: UInt64 = 0, keptNotFired: UInt64 = 0, bodiesDropped: UInt64 = 0, unusedFiles: [String] = [],
        erased: Erased = .now
    ) -> PurgeReport {
        PurgeReport(
            purged: purged, keptUndelivered: keptUndelivered, keptNotFired: keptNotFired, bodiesDropped: bodiesDropped,
            unusedFiles: unusedFiles, erased: erased)
    }
}
