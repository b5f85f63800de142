import CompassCore
import Foundation

/// A session as its screen shows it.
public struct SessionNow: Hashable, Sendable {
    public let key: String, workflow: WorkflowName
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

/// A session in a list, with how many of its actions stand how.
public struct SessionItem: Hashable, Sendable, Identifiable {
    public let key: String, workflow: WorkflowName
    public var phase: SessionState, won = false
    public var actor: String?
    public var startedAt: Date
    public var sectionName: String
    public var pending = 0, sent = 0, failed = 0
    public var id: String { key }
}

/// Sessions, newest first, and whether there are more.
public struct SessionList: Hashable, Sendable {
    public var sessions: [SessionItem], more: Bool
}
