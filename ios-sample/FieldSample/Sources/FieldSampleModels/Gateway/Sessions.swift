import CompassCore
import Foundation

/// Where a session stands.
public enum SessionPhase: Hashable, Sendable { case inProgress, completed, ended, discarded }

/// An answer of the current section.
public struct SessionAnswer: Hashable, Sendable, Identifiable {
    public let key: String, name: String
    public var id: String { key }
}

/// The two sorts of responses.
public enum ReplyKind: Hashable, Sendable { case objection, customerQuestion }

/// Words to meet an objection or a question with.
public struct SessionReply: Hashable, Sendable, Identifiable {
    public let key: String, name: String, kind: ReplyKind, content: String
    public var id: String { key }
}

/// A step of the path that led here.
public struct Step: Hashable, Sendable, Identifiable {
    public let visit: Int, section: String, name: String, answer: String?
    public var id: Int { visit }
}

/// A note; `number` names it within its session.
public struct SessionNote: Hashable, Sendable, Identifiable {
    public let number: Int, at: Date, text: String, actor: String?, edited: Bool
    public var id: Int { number }
}

/// A message that completing the session would send.
public struct PlannedMessage: Hashable, Sendable, Identifiable {
    public let action: String, name: String, endpoint: String
    public var id: String { action }
}

/// A session as its screen shows it.
public struct SessionNow: Hashable, Sendable {
    public let key: String, workflow: WorkflowName
    public var phase = SessionPhase.inProgress
    public var startedAt: Date
    public var visit: Int
    public var section: String, sectionName: String, content: String
    public var isEnd = false, win = false
    public var fields: [FieldView] = []
    public var answers: [SessionAnswer] = []
    public var replies: [SessionReply] = []
    public var path: [Step] = []
    public var notes: [SessionNote] = []
    /// A half-typed note that was kept.
    public var noteDraft: String?
    public var problems: [Problem] = []
    public var canComplete = false
    public var completionProblems: [Problem] = []
    public var messages: [PlannedMessage] = []
}

/// What a command did: the session now, and whether it changed (a double tap does not).
public struct Done: Hashable, Sendable {
    public let session: SessionNow, changed: Bool
}

/// A session in a list, with how many of its actions stand how.
public struct SessionItem: Hashable, Sendable, Identifiable {
    public let key: String, workflow: WorkflowName
    public var phase: SessionPhase, won = false
    public var actor: String?
    public var startedAt: Date
    public var sectionName: String
    public var pending = 0, sent = 0, failed = 0
    public var id: String { key }
}

/// Which sessions to list; every condition that is given must hold. `text` is searched in notes and texts of finished sessions.
public struct SessionQuery: Hashable, Sendable {
    public var phases: [SessionPhase] = []
    public var won: Bool?
    public var action: ActionState?
    public var text: String?
}

/// Sessions, newest first, and whether there are more.
public struct SessionList: Hashable, Sendable {
    public var sessions: [SessionItem], more: Bool
}
