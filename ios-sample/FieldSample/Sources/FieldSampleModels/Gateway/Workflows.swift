import CompassCore

extension WorkflowRef {
    /// `3`, or `3.1` for a change made on this phone.
    public var label: String { localRevision == 0 ? "\(version)" : "\(version).\(localRevision)" }
}

/// How bad a finding is.
public enum FindingLevel: Hashable, Sendable { case error, incomplete, warning }

/// Something that is wrong with a workflow; `section` and `answer` are names, where it is about one.
public struct WorkflowFinding: Hashable, Sendable {
    public let level: FindingLevel, code: String, detail: String
    public var section: String?, answer: String?
}

/// A workflow in the list, in its current version.
public struct WorkflowItem: Hashable, Sendable {
    public let workflow: WorkflowRef
    public let about: String?
    public let startable: Bool
    public var findings: [WorkflowFinding] = []
}

/// An answer of a section; `next` is the section it leads to, none while it is not linked.
public struct OutlineAnswer: Hashable, Sendable {
    public let name: String, next: String?
}

/// A "Send Message" action of a section.
public struct OutlineAction: Hashable, Sendable, Identifiable {
    public let key: String, name: String, endpoint: String
    public var id: String { key }
}

/// A section of the outline.
public struct OutlineSection: Hashable, Sendable, Identifiable {
    public let key: String, name: String
    public var fields: [FieldDefinition] = []
    public var answers: [OutlineAnswer] = []
    public var actions: [OutlineAction] = []
    public var win = false
    public var id: String { key }
    public var isEnd: Bool { answers.isEmpty }
}

/// A workflow with its sections, in the author's order.
public struct WorkflowOutline: Hashable, Sendable {
    public let item: WorkflowItem, start: String
    public var sections: [OutlineSection]
}

/// What an import did; `isNew` is false when the same document was there already.
public struct Imported: Hashable, Sendable {
    public let isNew: Bool, workflow: WorkflowItem
}
