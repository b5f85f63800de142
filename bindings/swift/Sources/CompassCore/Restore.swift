package import CompassInternal
public import Foundation

/// How a copy is put in the place of a database.
///
/// ```swift
/// let options = try CompassOptions.standard()
/// try await compass.close()
/// try await Compass.restore(from: copy, options: RestoreOptions(file: options.file))
/// ```
public struct RestoreOptions: Sendable {
    /// The database that the copy takes the place of.
    public var file: URL
    /// A person gives up the messages that are not delivered and not in the copy. Without it the copy is refused where there are such.
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

/// Who gives undelivered messages up, and why. Neither may be blank.
///
/// ```swift
/// let discard = DiscardUndelivered(actor: "Mia", reason: "The office has them on paper")
/// try await Compass.erase(file, discardUndelivered: discard)
/// ```
public struct DiscardUndelivered: Sendable {
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
    /// Puts a copy that ``backup(to:)`` made in the place of a database, which need not open any more, or be there. Close its handle first,
    /// and open it again afterwards. Works off the caller's thread; once begun it runs to its end, also when the task is cancelled.
    ///
    /// The copy is checked and stays as it is. A process that is killed meanwhile leaves the old database or the new one, each whole. What the
    /// present file knows of messages that were given up is kept, and nothing leaves for a session that it has deleted. The file before stays
    /// as `<name>.before-restore` until the database has been opened.
    ///
    /// - Parameter copy: The copy.
    /// - Throws: ``CompassError`` with ``CompassError/Code/alreadyOpen`` while this process has the database open; `locked` while another
    ///   process writes it, or has one open that is damaged; ``CompassError/Code/undelivered`` while the present file holds messages that are
    ///   neither delivered nor given up and that the copy does not hold, or cannot be read to count them, unless a person gives them up:
    ///   ``RestoreOptions/discardUndelivered``. ``CompassError/Code/corrupt``, `not_a_database` and `newer_schema` say what is wrong with the
    ///   copy; the last two also what is wrong with the present file.
    public static func restore(from copy: URL, options: RestoreOptions) async throws {
        try await replacing { try CompassInternal.restore(from: copy.path, options: options.forCore()) }
    }

    /// Removes a database and everything beside it, the file that ``restore(from:options:)`` kept included. What was in it is gone; copies made
    /// elsewhere stay. Close its handle first. A database that is not there is no error. Works off the caller's thread; once begun it runs to
    /// its end, also when the task is cancelled.
    ///
    /// - Parameter discardUndelivered: A person gives the messages up that are not delivered.
    /// - Throws: ``CompassError`` with ``CompassError/Code/alreadyOpen`` while this process has the database open, `locked` while another one
    ///   has; ``CompassError/Code/undelivered`` while it holds messages that are neither delivered nor given up, or cannot be read to count
    ///   them.
    public static func erase(_ file: URL, discardUndelivered: DiscardUndelivered? = nil) async throws {
        try await replacing { try CompassInternal.erase(path: file.path, discardUndelivered: discardUndelivered?.forCore()) }
    }

    /// Writes what can still be read of a database to a new file, which its owner alone may read, as JSON Lines: one row per line, messages that
    /// are neither delivered nor given up first, each under `unsent` with its session, its action and its frozen body; then every other row
    /// under the name of its table. Works also where the database does not open, and beside an open handle; its file stays as it is. The new
    /// file is whole, or there is none, and is protected as the copy of ``backup(to:)`` is. Works off the caller's thread; once begun it runs
    /// to its end, also when the task is cancelled.
    ///
    /// - Parameter copy: The new file. It holds what technicians typed.
    /// - Throws: ``CompassError`` with `not_a_database` or ``CompassError/Code/corrupt`` where nothing can be read; `invalid_argument` where there
    ///   is no database, or a file of the new name already.
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
