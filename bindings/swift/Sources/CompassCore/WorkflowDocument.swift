import CompassInternal
public import Foundation

/// Work on workflow documents without a database. Nothing here reads or writes a file; a document takes milliseconds.
///
/// ```swift
/// var document = WorkflowDocument(data)
/// let findings = try document.lint()
/// try document.addAction(action, to: "done")
/// try await compass.importWorkflow(document.bytes)
/// ```
public struct WorkflowDocument: Hashable, Sendable {
    /// JSON, format 1.
    public private(set) var bytes: Data

    /// A document of these bytes; they are not read before they are needed.
    public init(_ bytes: Data) {
        self.bytes = bytes
    }

    /// All findings about the document. When the keys of endpoints are given, endpoints that the document names and that are not among them
    /// are reported.
    public func lint(endpoints: [String]? = nil) throws -> [Finding] {
        try rethrowing { try lintDocument(document: bytes, endpoints: endpoints) }
    }

    /// Adds an action to a section and raises the local revision. Returns all findings about the result; an error among them means that it
    /// would not be imported.
    @discardableResult
    public mutating func addAction(_ action: ActionDefinition, to section: String) throws -> [Finding] {
        try become { try CompassInternal.addAction(document: $0, section: section, action: action) }
    }

    /// Replaces an action of a section and raises the local revision.
    @discardableResult
    public mutating func replaceAction(_ key: String, in section: String, with action: ActionDefinition) throws -> [Finding] {
        try become { try CompassInternal.replaceAction(document: $0, section: section, key: key, action: action) }
    }

    /// Removes an action from a section and raises the local revision.
    @discardableResult
    public mutating func removeAction(_ key: String, from section: String) throws -> [Finding] {
        try become { try CompassInternal.removeAction(document: $0, section: section, key: key) }
    }

    private mutating func become(_ work: (Data) throws -> AuthoredDocument) throws -> [Finding] {
        let authored = try rethrowing { try work(bytes) }
        bytes = authored.document
        return authored.findings
    }
}

extension FieldDefinition {
    /// Reads what a person typed and validates it; an empty text is "empty". Numbers, dates and times may be in the digits of any script,
    /// and a decimal has a point or a comma: in every language `1,5` is one and a half, and `1,234` is less than two. A date is `2026-11-23`,
    /// a time `08:30`, a place `52.5163, 13.3777`; `docs/workflow-format.md` lists what is read for each type. A problem is a
    /// ``CompassError`` with ``CompassError/problems``.
    public func parse(_ text: String) throws -> FieldState {
        try rethrowing { try parseValue(definition: self, text: text) }
    }
}

private func rethrowing<Value>(_ work: () throws -> Value) throws -> Value {
    do { return try work() } catch { throw CompassError.from(error) }
}
