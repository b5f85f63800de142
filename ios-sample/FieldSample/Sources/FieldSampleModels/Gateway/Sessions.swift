import CompassCore
import Foundation

/// A session as its screen shows it.
public struct SessionNow: Hashable, Sendable {
    public let key: String, workflow: WorkflowRef
    public var phase = SessionState.inProgress
    public var startedAt: Date
    public var visit: UInt32
    public var section: String, sectionName: String, content: String
    public var isEnd = false, win = false
    public var fields: [FieldView] = []
    public var answers: [Answer] = []
    public var replies: [Response] = []
    public var path: [PathStep] = []
    public var notes: [Note] = []
    /// A half-typed note that was kept.
    public var noteDraft: String?
    public var problems: [Problem] = []
    public var canComplete = false
    public var completionProblems: [Problem] = []
    public var messages: [ActionPreview] = []
}

/// What a command did: the session now, and whether it changed (a double tap does not).
public struct Done: Hashable, Sendable {
    public let session: SessionNow, changed: Bool
}
