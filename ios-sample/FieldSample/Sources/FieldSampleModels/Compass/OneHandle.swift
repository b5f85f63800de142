import CompassCore
import Foundation

/// The app's one handle, and the way to put another database under it.
///
/// ```swift
/// let handles = OneHandle(file: options.file) { try await Compass.open(options) }
/// let compass = try await handles.handle()
/// ```
public actor OneHandle {
    /// The database, which need not open.
    nonisolated let file: URL
    private let open: @Sendable () async throws -> any CompassHandle
    private var current: Task<any CompassHandle, any Error>?

    public init(file: URL, open: @escaping @Sendable () async throws -> any CompassHandle) { (self.file, self.open) = (file, open) }

    /// The handle; opens it when none is open. An opening that failed is tried again for the next who asks.
    public func handle() async throws -> any CompassHandle {
        let task = current ?? Task { [open] in try await open() }
        current = task
        do {
            return try await task.value
        } catch {
            if current == task { current = nil }
            throw error
        }
    }

    /// Asks the handle; where that is closed before it has answered, the one after it. For questions alone: who wants something done has to
    /// learn that it was not.
    nonisolated func ask<Answer: Sendable>(
        _ question: @Sendable (any CompassHandle) async throws -> Answer
    ) async throws -> Answer {
        let compass = try await handle()
        do {
            return try await question(compass)
        } catch let refused as CompassError where refused.code == .closed {
            // There is no other: it was closed for good.
            if try await handle() === compass { throw refused }
            return try await ask(question)
        }
    }

    /// Closes the handle, does `work` with its file, and opens another one, also when `work` has failed. Who asks meanwhile waits. Once it
    /// has begun it runs to its end, also when the task is cancelled.
    func whileClosed(_ work: @escaping @Sendable (URL) async throws -> Void) async throws {
        let done = Task { [current, file] in
            if let compass = try? await current?.value { try await compass.close() }
            try await work(file)
        }
        current = Task { [open] in
            _ = await done.result
            return try await open()
        }
        try await done.value
    }
}
