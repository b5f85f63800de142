public import Foundation

/// When to request a background job from the system.
///
/// ```swift
/// let plan = BackgroundPlan(try await compass.nextDue(), now: Date())
/// ```
public enum BackgroundPlan: Hashable, Sendable {
    /// Nothing waits for time or a network.
    case nothing
    /// A job, not before this moment.
    case job(notBefore: Date)

    /// The plan for what is due. If messages wait only for a network, a job is requested at once: the system runs it when there is a
    /// network.
    public init(_ due: NextDue, now: Date) {
        let moments = [due.at, due.atNeedsUnmetered, due.whenOnline.map { _ in now }].compactMap { $0 }
        self = moments.min().map { .job(notBefore: max($0, now)) } ?? .nothing
    }

    /// Whether to request the job again, after this earlier request: only when the job moves earlier.
    public func moves(_ before: BackgroundPlan) -> Bool {
        switch (before, self) {
        case (_, .nothing): false
        case (.nothing, .job): true
        case (.job(let earlier), .job(let now)): now < earlier
        }
    }
}

/// One background job: takes a hold, delivers, releases the hold.
///
/// ```swift
/// let finished = await BackgroundJob.run(compass)
/// ```
public enum BackgroundJob {
    /// Delivers due messages within the deadline; false if it failed or the deadline ended it. Cancelling the task cancels the attempts;
    /// the hold is still released.
    public static func run(_ compass: any CompassHandle, deadline: Duration = .seconds(25)) async -> Bool {
        guard let hold = try? await compass.resume() else { return false }
        let report = try? await compass.flush(deadline: deadline)
        await hold.release()
        return report.map { $0.end != .deadline } ?? false
    }
}
