import CompassInternal
public import Foundation

/// A workflow document: its bytes, and what can be done with them without a database. Fast; may be called from anywhere.
///
/// ```swift
/// var document = WorkflowDocument(data)
/// let problems = try document.lint()
/// try document.add(action, to: "done")
/// try await compass.importWorkflow(document.bytes)
/// ```
public struct WorkflowDocument: Hashable, Sendable {
    /// JSON, format 1.
    public private(set) var bytes: Data

    /// These bytes; they are read when something is asked of them.
    public init(_ bytes: Data) {
        self.bytes = bytes
    }

    /// Everything that is wrong with it. With the keys of endpoints, others that it names are reported.
    public func lint(endpoints: [String]? = nil) throws -> [Finding] {
        try rethrowing { try lintDocument(document: bytes, endpoints: endpoints) }
    }

    /// Adds an action to a section and raises the local revision. Gives all findings about the result; with an error among them it would
    /// not be imported.
    @discardableResult
    public mutating func add(_ action: ActionDefinition, to section: String) throws -> [Finding] {
        try become { try addAction(document: $0, section: section, action: action) }
    }

    /// Replaces an action of a section and raises the local revision.
    @discardableResult
    public mutating func replace(_ key: String, in section: String, with action: ActionDefinition) throws -> [Finding] {
        try become { try replaceAction(document: $0, section: section, key: key, action: action) }
    }

    /// Removes an action of a section and raises the local revision.
    @discardableResult
    public mutating func remove(_ key: String, from section: String) throws -> [Finding] {
        try become { try removeAction(document: $0, section: section, key: key) }
    }

    private mutating func become(_ work: (Data) throws -> AuthoredDocument) throws -> [Finding] {
        let authored = try rethrowing { try work(bytes) }
        bytes = authored.document
        return authored.findings
    }
}

extension FieldDefinition {
    /// Reads what a person typed for this field and validates it; nothing at all is "empty". Numbers, dates and times may be in the digits of
    /// any script. A problem is the ``CompassError`` of a refused field.
    public func parse(_ text: String) throws -> FieldState {
        try rethrowing { try parseValue(definition: self, text: text) }
    }
}

private func rethrowing<Value>(_ work: () throws -> Value) throws -> Value {
    do { return try work() } catch { throw CompassError.from(error) }
}
