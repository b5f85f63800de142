package import CompassInternal
package import Foundation

/// The core of a handle: opened at its first use, and again after it was closed if the handle is a lazy one. Its functions block; they are
/// for threads of the queues.
// Unchecked: the condition guards what can change, and the compiler cannot see that.
package final class CoreKeeper: @unchecked Sendable {
    private struct Opened {
        let core: CompassInternal.Core
        var subscription: CompassInternal.Subscription?
        /// The handle for automatic delivery. It never opens another core, so late work of delivery does not open a closed database again.
        var inner: Compass?
        var lifecycle: AppLifecycle?
    }

    private enum State {
        case none
        /// Being opened, closed or replaced: callers wait.
        case busy
        case open(Opened)
        /// Closed for good.
        case closed
    }

    private let options: @Sendable () throws -> CompassOptions
    private let reopens: Bool
    private let hub: ChangeHub
    package let ongoing = Ongoing()
    private let condition = NSCondition()
    private var state: State

    package init(hub: ChangeHub, reopens: Bool, options: @escaping @Sendable () throws -> CompassOptions) {
        (self.hub, self.reopens, self.options, state) = (hub, reopens, options, .none)
    }

    /// For an open core that another handle closes.
    init(hub: ChangeHub, core: CompassInternal.Core) {
        (self.hub, reopens, options, state) = (hub, false, { throw CompassError(code: .closed) }, .open(Opened(core: core)))
    }

    /// Passes the core to `work`; opens it if it is not open.
    package func use<Value>(_ work: (CompassInternal.Core) throws -> Value) throws -> Value {
        try work(core(since: nil))
    }

    /// The same for a call that was made at `epoch` of the hub: if the handle was closed since then, the call is refused and opens nothing.
    ///
    /// - Parameter again: If this core is being replaced, uses the next one. Only for queries.
    package func use<Value>(since epoch: Int, again: Bool = false, _ work: (CompassInternal.Core) throws -> Value) throws -> Value {
        while true {
            let core = try core(since: epoch)
            do {
                return try work(core)
            } catch CoreError.Failed(let code, _, _, _, _, _, _) where again && code == "closed" && !isOpen(core) {}
        }
    }

    /// Waits until automatic delivery has begun, if it is on.
    package func settled() async {
        let lifecycle: AppLifecycle? = locked { if case .open(let opened) = state { opened.lifecycle } else { nil } }
        await lifecycle?.settled()
    }

    /// Closes the core. A lazy handle opens another one for the next call; any other handle stays closed. Every sequence ends.
    package func close() throws {
        let before = begin()
        try orBack(to: before) { try shutDown(before) }
        ongoing.ended()
        // Before waiting callers go on: earlier calls must not open a core.
        hub.close(forGood: !reopens)
        become(reopens ? .none : .closed)
    }

    /// Closes the core, if it is open, and makes all calls wait until `goOn`. Returns the file of the database, which may be damaged.
    package func pause() throws -> URL {
        let before = begin()
        return try orBack(to: before) {
            if case .closed = before { throw CompassError(code: .closed) }
            let file = try made().file
            try shutDown(before)
            return file
        }
    }

    /// Calls go on, with another core.
    package func goOn() { become(.none) }

    private func orBack<Value>(to before: State, _ work: () throws -> Value) throws -> Value {
        do {
            return try work()
        } catch {
            become(before)
            throw error
        }
    }

    private func shutDown(_ state: State) throws {
        guard case .open(let opened) = state else { return }
        // First, so that it does not take a hold again.
        opened.lifecycle?.end()
        try opened.core.shutDown()
        opened.subscription?.cancel()
    }

    private func core(since epoch: Int?) throws -> CompassInternal.Core {
        let core = try locked {
            let before = waited()
            if let epoch, epoch != hub.epoch { throw CompassError(code: .closed) }
            switch before {
            case .open(let opened): return opened.core as CompassInternal.Core?
            case .closed: throw CompassError(code: .closed)
            case .none, .busy:
                state = .busy
                return nil
            }
        }
        if let core { return core }
        // If it fails, the next caller tries again.
        let opened = try orBack(to: .none) { try open() }
        become(.open(opened))
        return opened.core
    }

    private func open() throws -> Opened {
        let options = try made()
        let core = try CompassInternal.Core.open(options: options.forCore())
        do {
            try ongoing.goOn(with: core)
        } catch {
            try core.shutDown()
            throw error
        }
        var opened = Opened(core: core, subscription: try core.observe(listener: hub))
        if case .automatic = options.delivery {
            let inner = Compass(of: core)
            let lifecycle = AppLifecycle(handle: inner, watch: options.watchNetwork)
            (opened.inner, opened.lifecycle) = (inner, lifecycle)
            lifecycle.begin()
        }
        return opened
    }

    private func made() throws -> CompassOptions {
        do {
            return try options()
        } catch let refused as CompassError {
            throw refused
        } catch {
            // The folder could not be created or found: before the first unlock of the phone.
            throw CompassError(code: .cannotOpen, retryable: true, detail: "the options could not be made")
        }
    }

    private func isOpen(_ core: CompassInternal.Core) -> Bool {
        locked { if case .open(let opened) = state { opened.core === core } else { false } }
    }

    /// Waits until the state is not busy, returns it, and makes it busy.
    private func begin() -> State {
        locked {
            defer { state = .busy }
            return waited()
        }
    }

    private func waited() -> State {
        while case .busy = state { condition.wait() }
        return state
    }

    private func become(_ next: State) {
        locked {
            state = next
            condition.broadcast()
        }
    }

    private func locked<Value>(_ work: () throws -> Value) rethrows -> Value {
        condition.lock()
        defer { condition.unlock() }
        return try work()
    }
}
