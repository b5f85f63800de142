public import Foundation

/// Why a call changed nothing. It never contains a secret or a text that a technician typed.
///
/// ```swift
/// do {
///     try await compass.answer("go-on", visit: view.visit, in: view.key)
/// } catch let error as CompassError where error.code == .fieldProblems {
///     show(error.problems)
/// }
/// ```
public struct CompassError: Error, Hashable, Sendable, CustomStringConvertible, LocalizedError {
    /// The stable name of an error. The set is open: a newer core may have codes that have no name here.
    public struct Code: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
        /// The name, as the core and the documentation write it.
        public let rawValue: String
        /// A code of this name.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// A code of this name.
        public init(stringLiteral value: String) { rawValue = value }
        /// The name.
        public var description: String { rawValue }
    }

    /// The stable name.
    public let code: Code
    /// Whether the same call may succeed later without any change to it.
    public let retryable: Bool
    /// What the error is about, if there is such a place: a field's key, a visit's number, the name of an argument.
    public let place: String?
    /// For logs and developers, in English.
    public let detail: String
    /// The fields that are missing or not acceptable, when that is the reason.
    public let problems: [Problem]
    /// The findings about a workflow document, when that is the reason.
    public let findings: [Finding]
    /// How many messages would be lost, when that is the reason and they can be counted: ``Code/undelivered``.
    public let undelivered: UInt64?

    /// An error as the core would throw it, for fakes.
    public init(
        code: Code, retryable: Bool = false, place: String? = nil, detail: String = "", problems: [Problem] = [], findings: [Finding] = [],
        undelivered: UInt64? = nil
    ) {
        self.code = code
        self.retryable = retryable
        self.place = place
        self.detail = detail
        self.problems = problems
        self.findings = findings
        self.undelivered = undelivered
    }

    /// Code and detail.
    public var description: String { detail.isEmpty ? code.rawValue : "\(code): \(detail)" }
    /// Code and detail; do not show it to a technician.
    public var errorDescription: String? { description }

    /// An error of the generated code, as this package throws it.
    package static func from(_ error: any Error) -> any Error {
        switch error {
        case is CompassError, is CancellationError:
            return error
        case CoreError.Failed(let code, let retryable, let place, let detail, let problems, let findings, let undelivered):
            return CompassError(
                code: Code(rawValue: code), retryable: retryable, place: place, detail: detail, problems: problems, findings: findings,
                undelivered: undelivered)
        default:
            // The text of a panic may quote a value.
            return CompassError(code: .internal, detail: "the call into the core failed")
        }
    }
}
