import CompassCore
import CompassCoreFakes
import FieldSampleModels
import Foundation

/// The database under a `FakeCompass`: a backup has a phone at work in it, and what is not delivered is given up or stays.
public final class FakeDatabase: PhoneDatabase {
    private let compass: FakeCompass
    private let asked = Watched<[String]>([])
    private let refusal = Watched<CompassError?>(nil)

    public init(_ compass: FakeCompass) { self.compass = compass }

    /// What was asked so far.
    public var calls: [String] { asked.value }

    /// Refuses everything with it until it is gone again.
    public var failure: CompassError? {
        get { refusal.value }
        set { refusal.change { $0 = newValue } }
    }

    public func restore(_ copy: URL, discarding: DiscardUndelivered?) async throws {
        try replace("restore \(copy.lastPathComponent)", discarding, by: .atWork)
    }

    public func erase(discarding: DiscardUndelivered?) async throws { try replace("erase", discarding, by: .empty) }

    public func salvage(to file: URL) async throws -> SalvageReport {
        try ask("salvage \(file.lastPathComponent)")
        return SalvageReport(unsent: UInt64(compass.current.outbox.count), lines: 9, gaps: 1)
    }

    private func ask(_ call: String) throws {
        asked.change { $0.append(call) }
        if let failure { throw failure }
    }

    private func replace(_ call: String, _ discard: DiscardUndelivered?, by next: FakeState) throws {
        try ask(discard.map { "\(call) \($0.actor): \($0.reason)" } ?? call)
        let lost = compass.current.outbox.count
        if lost > 0, discard == nil { throw CompassError(code: .undelivered, detail: "\(lost) messages are not delivered") }
        compass.change { $0 = next }
    }
}
