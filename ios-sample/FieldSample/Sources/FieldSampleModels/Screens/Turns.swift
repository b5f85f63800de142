import CompassCore

/// Something to say once, below the screen and by the screen reader.
public struct Notice: Hashable, Sendable {
    public let words: Phrase
    /// Something went wrong.
    public var failed = false
}

/// The work of one screen: what it follows ends with it, and what a technician does is taken one after the other. Not for the order, which the
/// core's package keeps, but because what an act asks for depends on what the one before it has led to.
@MainActor
final class Turns {
    private var following: [Task<Void, Never>] = []
    private var latest: Task<Void, Never>?
    private var latestAside: Task<Void, Never>?
    /// Takes the words of what was refused.
    var refused: @MainActor (Phrase) -> Void = { _ in }

    deinit { following.forEach { $0.cancel() } }

    /// Follows a sequence for as long as the screen is there, or until the task is cancelled.
    @discardableResult
    func follow<Values: AsyncSequence & Sendable>(
        _ values: Values, _ take: @escaping @MainActor (Values.Element) async throws -> Void
    ) -> Task<Void, Never> where Values.Element: Sendable {
        let task = Task { [weak self] in
            do {
                for try await value in values { try await take(value) }
            } catch let failure as CompassError {
                self?.refused(failure.words)
            } catch {
                // The screen is gone.
            }
        }
        following.append(task)
        return task
    }

    /// After what was begun before. A refusal is shown; it changed nothing.
    func take(_ work: @escaping @MainActor () async throws -> Void) { latest = begin(after: latest, work) }

    /// What waits for a network: holds nothing up but its like.
    func takeAside(_ work: @escaping @MainActor () async throws -> Void) { latestAside = begin(after: latestAside, work) }

    private func begin(
        after before: Task<Void, Never>?, _ work: @escaping @MainActor () async throws -> Void
    ) -> Task<Void, Never> {
        Task { [weak self] in
            await before?.value
            do {
                try await work()
            } catch let failure as CompassError {
                self?.refused(failure.words)
            } catch {
                self?.refused(.text(.failureOther, .plain("internal")))
            }
        }
    }

    /// Waits until everything that was begun is done.
    func done() async {
        await latest?.value
        await latestAside?.value
    }
}
