import CompassCore
import Foundation

/// An action of a finished session, with its newest message.
public struct RecordAction: Hashable, Sendable {
    public let key: String, name: String, endpoint: String
    public var state: ActionStatus
    public var reason: String?
    public var failedSends = 0
    public var locked = false, canSend = false, canSendCorrected = false, canAbandon = false
    public var sentAt: Date?
    public var nextAttemptAt: Date?
    public var attempts = 0
    public var lastAttempts: [Attempt] = []
    public var mayHaveBeenDelivered = false
}

/// The record of a session.
public struct RecordNow: Hashable, Sendable {
    public let key: String, workflow: WorkflowName
    public var phase: SessionState, won = false
    public var actor: String?
    public var startedAt: Date
    public var finishedAt: Date?
    public var endReason: String?
    public var fields: [RecordField] = []
    public var notes: [Note] = []
    public var timeline: [TimelineItem] = []
    public var actions: [RecordAction] = []
}

/// The message that an action sends or would send.
public struct MessageLook: Hashable, Sendable {
    public let endpoint: String, body: String
}
