import CompassClock
public import CompassCore
public import Foundation

/// A clock that only the test moves, and randomness that repeats: with it, session keys, delivery ids and delays are the same in every run.
/// Begins at 2027-01-15T08:00:00Z; local time is UTC. On Linux, on a Mac and in the simulator; not on a phone.
///
/// ```swift
/// let clock = ManualClock()
/// let compass = try await Compass.open(.testing(clock: clock))
/// clock.advance(.seconds(5))
/// ```
public final class ManualClock: Sendable {
    private let core = CompassClock.ManualClock()

    /// A clock at its beginning.
    public init() {}

    /// The time that it shows.
    public var now: Date { core.now() }

    /// Time passes, in whole milliseconds. The age of the database, by which `purge` counts, grows by seven days at most with each write.
    public func advance(_ by: Duration) {
        // The core takes 49 days at once.
        var left = by.wholeMilliseconds
        while left > 0 {
            let step = UInt32(clamping: left)
            core.advance(byMs: step)
            left -= UInt64(step)
        }
    }

    /// Somebody sets the phone's clock; no time passes.
    public func setWall(_ to: Date) { core.setWall(to: to) }

    /// The next handle on this path uses the clock.
    func use(for path: String) { core.useFor(path: path) }
}

extension CompassOptions {
    /// The real core on a new file in the temporary folder, with delivery left to the test.
    ///
    /// - Parameters:
    ///   - clock: Without one, time is the clock of the machine.
    ///   - transport: Requests are answered 202 by default. The core's own, if it is nil.
    public static func testing(
        clock: ManualClock? = nil, transport: (any CompassCore.Transport)? = ScriptedTransport(), secrets: (any SecretStore)? = nil
    ) throws -> CompassOptions {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("compass-\(UUID().uuidString.lowercased())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var options = CompassOptions(file: folder.appendingPathComponent("test.db"))
        options.delivery = .manual
        options.transport = transport
        options.secrets = secrets
        options.allowPlainHttpToLoopback = true
        if let clock { options.useTestClock = { clock.use(for: $0) } }
        return options
    }
}
