package import Foundation

/// Which background tasks the system was asked for, and whether to ask again. Says in the log what it refuses.
package final class BackgroundRequests: Sendable {
    package enum Kind: Hashable, Sendable, CaseIterable {
        /// Half a minute, more often.
        case refresh
        /// Minutes, mostly at night.
        case processing

        package func identifier(of identifier: String) -> String { self == .refresh ? identifier + ".refresh" : identifier }
    }

    private let submit: @Sendable (Kind, Date) throws -> Void
    private let asked = Locked<[Kind: BackgroundPlan]>([:])

    package init(submit: @escaping @Sendable (Kind, Date) throws -> Void) {
        self.submit = submit
    }

    /// Asks for what this handle needs, where it moves earlier by it.
    package func ask(for compass: any CompassHandle) async {
        do {
            ask(BackgroundPlan(try await compass.nextDue(), now: Date()))
        } catch {
            CompassLog.say(.warning, "no background task is asked for: \((error as? CompassError)?.code.rawValue ?? "cancelled")")
        }
    }

    /// Asks for each kind, where it moves earlier by it.
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

    /// A task of this kind runs: it has to be asked for again.
    package func began(_ kind: Kind) { asked.withLock { $0[kind] = nil } }

    package static func refused(_ call: String, _ task: String, _ error: (any Error)?) {
        // Its domain and number say which of the causes that Apple documents it is.
        let why = error.map { $0 as NSError }.map { ", \($0.domain) \($0.code)" } ?? ""
        CompassLog.say(.warning, "the system refused to \(call) the background task \(task)\(why)")
    }
}
