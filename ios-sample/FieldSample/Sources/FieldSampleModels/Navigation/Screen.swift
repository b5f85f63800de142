/// Where a technician can be. The first four are always one tap away.
public enum Screen: Hashable, Sendable {
    case workflows, sessions, outbox, settings
    case workflow(String), session(String), review(String), record(String)

    public static let roots: [Screen] = [.workflows, .sessions, .outbox, .settings]
    var isRoot: Bool { Self.roots.contains(self) }

    var saved: String {
        switch self {
        case .workflows: "workflows"
        case .sessions: "sessions"
        case .outbox: "outbox"
        case .settings: "settings"
        case .workflow(let key): "workflow/\(key)"
        case .session(let key): "session/\(key)"
        case .review(let key): "review/\(key)"
        case .record(let key): "record/\(key)"
        }
    }

    // Keys of workflows and sessions hold neither a blank nor a slash.
    init?(saved: Substring) {
        let parts = saved.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch (parts.first, parts.count) {
        case ("workflows", 1): self = .workflows
        case ("sessions", 1): self = .sessions
        case ("outbox", 1): self = .outbox
        case ("settings", 1): self = .settings
        case ("workflow", 2): self = .workflow(parts[1])
        case ("session", 2): self = .session(parts[1])
        case ("review", 2): self = .review(parts[1])
        case ("record", 2): self = .record(parts[1])
        default: return nil
        }
    }
}
