import CompassInternal

/// What goes on when the database of a handle is closed and another one takes its place: the network that the app has reported, the holds
/// that are not released, and delivery. A core forgets all of it when it is closed.
package final class Ongoing: Sendable {
    private struct State {
        var connectivity: Connectivity?
        var delivering = false
        var holds: [Held] = []
    }

    // Weak: a hold that the app drops is released.
    private struct Held {
        weak var hold: LastingHold?
    }

    private let state = Locked(State())

    init() {}

    /// The app has reported the network.
    func reported(_ connectivity: Connectivity) {
        state.withLock { $0.connectivity = connectivity }
    }

    /// Delivery is begun by `start`, and goes on until `stopped`, `ended`, or the last hold is released.
    func started(_ start: () throws -> Void) throws {
        let before = state.withLock { state in
            defer { state.delivering = true }
            return state.delivering
        }
        do {
            try start()
        } catch {
            state.withLock { $0.delivering = before }
            throw error
        }
    }

    /// The app has stopped delivery.
    func stopped() {
        state.withLock { $0.delivering = false }
    }

    /// The handle is quiesced or closed: only the network is still known.
    func ended() {
        state.withLock { ($0.delivering, $0.holds) = (false, []) }
    }

    /// A hold over all databases of the handle; `resume` takes the one of the core that is open now.
    func held(_ resume: () throws -> CompassInternal.Hold) throws -> LastingHold {
        let lasting = LastingHold(self)
        state.withLock { $0.holds.append(Held(hold: lasting)) }
        do {
            lasting.begin(try resume())
        } catch {
            lasting.release()
            throw error
        }
        return lasting
    }

    /// The hold is released, or dropped if it is nil. Without any, the core quiesces.
    fileprivate func released(_ hold: LastingHold?) {
        let left = state.withLock { state in
            let left = state.holds.compactMap(\.hold).filter { $0 !== hold }
            if left.isEmpty, !state.holds.isEmpty { state.delivering = false }
            state.holds = left.map(Held.init)
            return left
        }
        // If one of these is dropped meanwhile, it comes here too, and finds no lock.
        withExtendedLifetime(left) {}
    }

    /// Another core is open: it knows the network before anything is attempted.
    func goOn(with core: CompassInternal.Core) throws {
        let (connectivity, holds, delivering) = state.withLock { ($0.connectivity, $0.holds.compactMap(\.hold), $0.delivering) }
        if let connectivity { try core.setConnectivity(connectivity: connectivity) }
        for hold in holds { hold.goOn(try core.resume()) }
        if delivering { try core.startDelivery() }
    }
}

/// A hold of the core that is open now.
package final class LastingHold: Sendable {
    private struct State {
        var now: CompassInternal.Hold?
        var released = false
    }

    private let ongoing: Ongoing
    private let state = Locked(State())

    init(_ ongoing: Ongoing) {
        self.ongoing = ongoing
    }

    deinit { ongoing.released(nil) }

    /// The first one. If another core was opened meanwhile, it is held already.
    func begin(_ hold: CompassInternal.Hold) {
        let isUsed = state.withLock { state in
            guard state.now == nil, !state.released else { return false }
            state.now = hold
            return true
        }
        if !isUsed { hold.release() }
    }

    /// The hold of the next core. The one before ended with its core.
    func goOn(_ hold: CompassInternal.Hold) {
        let isUsed = state.withLock { state in
            guard !state.released else { return false }
            state.now = hold
            return true
        }
        if !isUsed { hold.release() }
    }

    /// Releases it; releasing again does nothing. Blocks.
    func release() {
        ongoing.released(self)
        let hold = state.withLock { state in
            defer { state.released = true }
            return state.now
        }
        hold?.release()
    }
}
