import CompassCore
import Foundation

/// What became of an action: the product's four words.
public enum ActionState: Hashable, Sendable, CaseIterable { case notFired, pending, sent, failed }

/// One HTTP try; `outcome` is `sent` or a reason's code.
public struct SendTry: Hashable, Sendable {
    public let number: Int, at: Date, status: Int?, outcome: String
}

/// An action of a finished session, with its newest message.
public struct RecordAction: Hashable, Sendable {
    public let key: String, name: String, endpoint: String
    public var state: ActionState
    public var reason: String?
    public var failedSends = 0
    public var locked = false, canSend = false, canSendCorrected = false, canAbandon = false
    public var sentAt: Date?
    public var nextAttemptAt: Date?
    public var attempts = 0
    public var lastAttempts: [SendTry] = []
    public var mayHaveBeenDelivered = false
}

/// What happened.
public enum Happening: Hashable, Sendable {
    case started(section: String, prefilled: [FieldEntry])
    case fieldsSet([FieldEntry])
    case answered(section: String, answer: String, superseded: Bool)
    case wentBack(section: String)
    case replyUsed(String, ReplyKind)
    case noted(String)
    case completed(section: String, won: Bool)
    case ended(section: String, reason: String)
    case discarded
    case fieldEdited(FieldEditEntry)
    case noteEdited(String)
    case sendRequested(action: String, corrected: Bool)
    case abandoned(action: String, reason: String)
}

/// One act of the timeline, which may hold several happenings.
public struct Moment: Hashable, Sendable {
    public let number: Int, at: Date, actor: String?, happenings: [Happening]
}

/// The record of a session.
public struct RecordNow: Hashable, Sendable {
    public let key: String, workflow: WorkflowName
    public var phase: SessionPhase, won = false
    public var actor: String?
    public var startedAt: Date
    public var finishedAt: Date?
    public var endReason: String?
    public var fields: [RecordField] = []
    public var notes: [SessionNote] = []
    public var timeline: [Moment] = []
    public var actions: [RecordAction] = []
}

/// The message that an action sends or would send.
public struct MessageLook: Hashable, Sendable {
    public let endpoint: String, body: String
}
