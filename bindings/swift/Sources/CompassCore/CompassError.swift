public import Foundation

/// Why a call changed nothing. Never holds a secret, or what a technician typed.
///
/// ```swift
/// do {
///     try await compass.answer("go-on", visit: view.visit, in: view.key)
/// } catch let error as CompassError where error.code == .fieldProblems {
///     show(error.problems)
/// }
/// ```
public struct CompassError: Error, Hashable, Sendable, CustomStringConvertible, LocalizedError {
    /// The stable name of an error. The set is open: a newer core may have codes that this list does not.
    public struct Code: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
        /// The name, as the core and its documents write it.
        public let rawValue: String
        /// A code of this name.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// A code of this name.
        public init(stringLiteral value: String) { rawValue = value }
        /// The name.
        public var description: String { rawValue }

        /// This process has the same file open already; share that handle.
        public static let alreadyOpen: Code = "already_open"
        /// The handle was closed.
        public static let closed: Code = "closed"
        /// The call was made from inside a transport, a store of secrets or a listener, and would wait for itself.
        public static let reentrant: Code = "reentrant"
        /// The file cannot be opened now, for instance before the first unlock of the phone. Try again later.
        public static let cannotOpen: Code = "cannot_open"
        /// There is no room left on the device.
        public static let diskFull: Code = "disk_full"
        /// The file is damaged, or something else changed it. It is left as it is; see ``Compass/restore(from:options:)``.
        public static let corrupt: Code = "corrupt"
        /// The workflow document has errors: see ``CompassError/findings``.
        public static let invalidWorkflow: Code = "invalid_workflow"
        /// The workflow is incomplete and cannot be started: see ``CompassError/findings``.
        public static let notStartable: Code = "not_startable"
        /// Sessions stand on this version of the workflow, finished ones included, so it cannot be forgotten. Delete or purge them first.
        public static let workflowInUse: Code = "workflow_in_use"
        /// The workflow requires what this release does not know: it and its sessions can be read and not changed. Update the app.
        public static let requiresNewerCore: Code = "requires_newer_core"
        /// There is no such session.
        public static let unknownSession: Code = "unknown_session"
        /// There was such a session; it was purged or deleted.
        public static let deletedSession: Code = "deleted_session"
        /// Values are missing or not acceptable: see ``CompassError/problems``.
        public static let fieldProblems: Code = "field_problems"
        /// The `commandId` was used before for something else.
        public static let commandIdReused: Code = "command_id_reused"
        /// The session, or the database that would be replaced or removed, holds messages that were neither delivered nor given up, or is
        /// too damaged to tell.
        public static let undelivered: Code = "undelivered"
        /// Too many sends of the action failed.
        public static let actionLocked: Code = "action_locked"
        /// This release cannot do that yet.
        public static let notSupported: Code = "not_supported"
        /// A fault of this library.
        public static let `internal`: Code = "internal"
    }

    /// The stable name.
    public let code: Code
    /// Whether the same call may succeed later without any change to it.
    public let retryable: Bool
    /// What it is about, where there is such a place: the key of a field, the number of a visit, the name of an argument.
    public let place: String?
    /// In English, for logs and developers.
    public let detail: String
    /// The fields that are missing or not acceptable, when that is the reason.
    public let problems: [Problem]
    /// What is wrong with the workflow document, when that is the reason.
    public let findings: [Finding]

    /// An error as the core would throw it, for fakes.
    public init(
        code: Code, retryable: Bool = false, place: String? = nil, detail: String = "", problems: [Problem] = [], findings: [Finding] = []
    ) {
        self.code = code
        self.retryable = retryable
        self.place = place
        self.detail = detail
        self.problems = problems
        self.findings = findings
    }

    /// Code and detail.
    public var description: String { detail.isEmpty ? code.rawValue : "\(code): \(detail)" }
    /// Code and detail; not for a technician's eyes.
    public var errorDescription: String? { description }

    /// What the generated code threw, as this package throws it.
    package static func from(_ error: any Error) -> any Error {
        switch error {
        case is CompassError, is CancellationError:
            return error
        case CoreError.Failed(let code, let retryable, let place, let detail, let problems, let findings):
            return CompassError(
                code: Code(rawValue: code), retryable: retryable, place: place, detail: detail, problems: problems, findings: findings)
        default:
            // The text of a panic may quote a value.
            return CompassError(code: .internal, detail: "the core failed in a way that it does not name")
        }
    }
}
