package import CompassInternal
public import Foundation

/// How a database is replaced with a copy.
///
/// ```swift
/// let options = try CompassOptions.standard()
/// try await compass.close()
/// try await Compass.restore(from: copy, options: RestoreOptions(file: options.file))
/// ```
public struct RestoreOptions: Sendable {
    /// The database that is replaced.
    public var file: URL
    /// A person abandons the messages that are not delivered and not in the copy. Without it the copy is refused when there are such
    /// messages.
    public var discardUndelivered: DiscardUndelivered?

    /// For a database in this file.
    public init(file: URL, discardUndelivered: DiscardUndelivered? = nil) {
        self.file = file
        self.discardUndelivered = discardUndelivered
    }

    package func forCore() -> CompassInternal.RestoreOptions {
        CompassInternal.RestoreOptions(path: file.path, discardUndelivered: discardUndelivered?.forCore())
    }
}

/// Who abandons undelivered messages, and why. Neither may be blank.
///
/// ```swift
/// let discard = DiscardUndelivered(actor: "Mia", reason: "The office has them on paper")
/// try await Compass.erase(file, discardUndelivered: discard)
/// ```
public struct DiscardUndelivered: Hashable, Sendable {
    /// The person.
    public var actor: String
    /// The reason.
    public var reason: String

    /// This person, for this reason.
    public init(actor: String, reason: String) {
        self.actor = actor
        self.reason = reason
    }

    package func forCore() -> CompassInternal.DiscardUndelivered {
        CompassInternal.DiscardUndelivered(actor: actor, reason: reason)
    }
}

extension Compass {
    /// Replaces a database with a copy that ``backup(to:)`` made. The database may be damaged or missing. Close its handle first, and open
    /// it again afterwards. Runs off the caller's thread; once begun it runs to its end, even if the task is cancelled.
    ///
    /// The copy is checked and does not change. If the process is killed meanwhile, either the old or the new database is there, complete.
    /// Messages that were abandoned in the old database stay abandoned, and nothing is sent for a session that was deleted in it. Everything
    /// else is as it was when the copy was made: what was redacted since is there again (redact it again), edits are undone, and messages
    /// that were sent since leave once more. The old file stays as `<name>.before-restore` until the new database has been opened.
    ///
    /// - Parameter copy: The copy.
    /// - Throws: ``CompassError`` with ``CompassError/Code/alreadyOpen`` while this process has the database open; `locked` while another
    ///   process writes to it or, if it is damaged, has it open; ``CompassError/Code/undelivered`` while the old database holds messages
    ///   that are neither delivered nor abandoned and not in the copy, or cannot be read to count them, unless a person abandons them:
    ///   ``RestoreOptions/discardUndelivered``. ``CompassError/Code/corrupt``, `not_a_database` and `newer_schema` say what is wrong with
    ///   the copy; the last two also what is wrong with the old database.
    public static func restore(from copy: URL, options: RestoreOptions) async throws {
        try await replacing { try CompassInternal.restore(from: copy.path, options: options.forCore()) }
    }

    /// Removes a database and all files beside it, also the file that ``restore(from:options:)`` kept. Copies in other places stay. Close
    /// its handle first. A missing database is not an error. Sessions in progress, actions that did not fire and edits that were not sent are
    /// lost: only messages lead to a refusal. Runs off the caller's thread; once begun it runs to its end, even if the task
    /// is cancelled.
    ///
    /// - Parameter discardUndelivered: A person abandons the messages that are not delivered.
    /// - Throws: ``CompassError`` with ``CompassError/Code/alreadyOpen`` while this process has the database open, `locked` while another
    ///   process has; ``CompassError/Code/undelivered`` while it holds messages that are neither delivered nor abandoned, or cannot be read
    ///   to count them.
    public static func erase(_ file: URL, discardUndelivered: DiscardUndelivered? = nil) async throws {
        try await replacing { try CompassInternal.erase(path: file.path, discardUndelivered: discardUndelivered?.forCore()) }
    }

    /// Writes what can still be read of a database to a new file as JSON Lines, one row per line. Only the owner of the file may read it.
    /// Messages that are neither delivered nor abandoned come first, each under `unsent` with its session, its action and the hash of its
    /// frozen body; then the bodies under `body`, and every other row under the name of its table. This also works when the database does not
    /// open, and beside an open handle; the database does not change. The new file is complete, or it does not exist. It is protected like the
    /// copy of ``backup(to:)``. Runs off the caller's thread; once begun it runs to its end, even if the task is cancelled.
    ///
    /// - Parameter copy: The new file. It holds what technicians typed.
    /// - Throws: ``CompassError`` with `not_a_database` or ``CompassError/Code/corrupt`` when nothing can be read; `invalid_argument` when
    ///   there is no database, or already a file of the new name.
    public static func salvage(_ file: URL, to copy: URL) async throws -> SalvageReport {
        try await replacing {
            let report = try CompassInternal.salvage(path: file.path, to: copy.path)
            try DatabaseFolder.protectCopy(copy)
            return report
        }
    }

    private static func replacing<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await CallQueue(name: "dev.compass.core.restore", width: 1, quality: .userInitiated).call(work)
    }
}
