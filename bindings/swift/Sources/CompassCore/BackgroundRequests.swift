package import Foundation

/// Which background tasks were requested from the system, and whether to request them again. Logs what the system refuses.
package final class BackgroundRequests: Sendable {
    package enum Kind: Hashable, Sendable, CaseIterable {
        /// Runs for half a minute, and more often.
        case refresh
        /// Runs for minutes, mostly at night.
        case processing

        package func identifier(of identifier: String) -> String { self == .refresh ? identifier + ".refresh" : identifier }
    }

    private let submit: @Sendable (Kind, Date) throws -> Void
    private let asked = Locked<[Kind: BackgroundPlan]>([:])

    package init(submit: @escaping @Sendable (Kind, Date) throws -> Void) {
        self.submit = submit
    }

    /// Requests what this handle needs, if the task moves earlier by it.
    package func ask(for compass: any CompassHandle) async {
        do {
            ask(BackgroundPlan(try await compass.nextDue(), now: Date()))
        } catch {
            CompassLog.say(.warn, "no background task is requested: \((error as? CompassError)?.code.rawValue ?? "cancelled")")
        }
    }

    /// Requests each kind, if it moves earlier by it.
    package func ask(_ plan: BackgroundPlan) {
        guard case .job(let moment) = plan else { return }
        for kind in Kind.allCases where plan.moves(asked.withLock { $0[kind] ?? .nothing }) {
            do {
                try submit(kind, moment)
                asked.withLock { $0[kind] = plan }
            } catch {
                Self.refused("submit", "\(kind)", error)
            }
        }
    }

    /// A task of this kind runs: it must be requested again.
    package func began(_ kind: Kind) { asked.withLock { $0[kind] = nil } }

    package static func refused(_ call: String, _ task: String, _ error: (any Error)?) {
        // The domain and the number of the error identify the cause that Apple documents.
        let why = error.map { $0 as NSError }.map { ", \($0.domain) \($0.code)" } ?? ""
        CompassLog.say(.warn, "the system refused to \(call) the background task \(task)\(why)")
    }
}
