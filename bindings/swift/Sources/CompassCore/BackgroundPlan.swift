public import Foundation

/// When a background job is worth asking the system for.
///
/// ```swift
/// let plan = BackgroundPlan(try await compass.nextDue(), now: Date())
/// ```
public enum BackgroundPlan: Hashable, Sendable {
    /// Nothing waits for time or a network.
    case nothing
    /// Not before this moment.
    case job(notBefore: Date)

    /// From what the core says. What waits for a network alone is worth a job at once: the system runs it when there is one.
    public init(_ due: NextDue, now: Date) {
        let moments = [due.at, due.atNeedsUnmetered, due.whenOnline.map { _ in now }].compactMap { $0 }
        self = moments.min().map { .job(notBefore: max($0, now)) } ?? .nothing
    }

    /// Whether to ask the system again, given what it was asked for before: only when the job moves earlier.
    public func moves(_ before: BackgroundPlan) -> Bool {
        switch (before, self) {
        case (_, .nothing): false
        case (.nothing, .job): true
        case (.job(let earlier), .job(let now)): now < earlier
        }
    }
}

/// One background job: takes a hold, delivers, lets go.
///
/// ```swift
/// let finished = await BackgroundJob.run(compass)
/// ```
public enum BackgroundJob {
    /// Delivers what is due within the deadline; true unless it failed or was cut short. Cancelling the task gives the attempts up; the
    /// hold is released all the same.
    public static func run(_ compass: any CompassHandle, deadline: Duration = .seconds(25)) async -> Bool {
        guard let hold = try? await compass.resume() else { return false }
        let report = try? await compass.flush(deadline: deadline)
        await hold.release()
        return report.map { $0.end != .deadline } ?? false
    }
}
