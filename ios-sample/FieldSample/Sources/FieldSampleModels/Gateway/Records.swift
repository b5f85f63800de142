import CompassCore
import Foundation

/// The record of a session.
public struct RecordNow: Hashable, Sendable {
    public let key: String, workflow: WorkflowRef
    public var phase: SessionState, won = false
    public var actor: String?
    public var startedAt: Date
    public var finishedAt: Date?
    public var endReason: String?
    public var fields: [RecordField] = []
    public var notes: [Note] = []
    public var timeline: [TimelineItem] = []
    public var actions: [Action] = []
}

/// The message that an action sends or would send.
public struct MessageLook: Hashable, Sendable {
    public let endpoint: String, body: String
}
