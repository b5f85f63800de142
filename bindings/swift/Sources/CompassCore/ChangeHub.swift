import CompassInternal

/// The one listener that a handle has in the core, and everybody who wants to hear from it.
package final class ChangeHub: Sendable {
    /// One iterator's place: whether it has something to look at, and where it waits.
    package final class Subscriber: Sendable {
        private struct State {
            var dirty = true
            var ended = false
            var waiting: CheckedContinuation<Void, Never>?
        }

        private let state = Locked(State())
        /// Where the hub stood when it was asked for this place.
        package let epoch: Int
        fileprivate let wants: @Sendable (Notice) -> Bool
        private let leave: @Sendable () -> Void

        fileprivate init(epoch: Int, wants: @escaping @Sendable (Notice) -> Bool, leave: @escaping @Sendable () -> Void) {
            self.epoch = epoch
            self.wants = wants
            self.leave = leave
        }

        deinit { leave() }

        fileprivate func wake() {
            state.withLock { state in
                state.dirty = true
                defer { state.waiting = nil }
                return state.waiting
            }?.resume()
        }

        /// No more news. Whoever waits is told.
        package func end() {
            state.withLock { state in
                state.ended = true
                defer { state.waiting = nil }
                return state.waiting
            }?.resume()
            leave()
        }

        /// Waits until there is something to look at; false once there never will be.
        package func news() async -> Bool {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let ready = state.withLock { state in
                        if state.dirty || state.ended { return true }
                        state.waiting = continuation
                        return false
                    }
                    if ready { continuation.resume() }
                }
            } onCancel: {
                end()
            }
            return state.withLock { state in
                defer { state.dirty = false }
                return !state.ended
            }
        }
    }

    private struct State {
        var next = 0
        var epoch = 0
        var closed = false
        var subscribers: [Int: Weak] = [:]
    }

    private struct Weak {
        weak var subscriber: Subscriber?
    }

    private let state = Locked(State())

    package init() {}

    /// How many listen, for tests.
    package var count: Int { state.withLock { $0.subscribers.count } }

    /// How often the handle was closed.
    package var epoch: Int { state.withLock { $0.epoch } }

    package func subscribe(_ wants: @escaping @Sendable (Notice) -> Bool) -> Subscriber {
        let (number, epoch) = state.withLock { state in
            state.next += 1
            return (state.next, state.epoch)
        }
        let subscriber = Subscriber(epoch: epoch, wants: wants) { [weak self] in
            // What comes out is let go outside the lock.
            _ = self?.state.withLock { $0.subscribers.removeValue(forKey: number) }
        }
        let closed = state.withLock { state in
            state.subscribers[number] = Weak(subscriber: subscriber)
            return state.closed || state.epoch != epoch
        }
        if closed { subscriber.end() }
        return subscriber
    }

    package func notify(_ notice: Notice) {
        for subscriber in everybody() where notice.everything || subscriber.wants(notice) { subscriber.wake() }
    }

    /// The handle is closed: every sequence completes. For good, later ones too; otherwise a later one asks the next core.
    package func close(forGood: Bool = true) {
        let listening = state.withLock { state in
            state.epoch += 1
            state.closed = state.closed || forGood
            return state.subscribers.values.compactMap(\.subscriber)
        }
        for subscriber in listening { subscriber.end() }
    }

    /// There is another database under the handle: everybody asks again.
    package func everythingChanged() {
        notify(Notice(revision: 0, sessions: [], outbox: true, endpoints: true, workflows: true, everything: true))
    }

    private func everybody() -> [Subscriber] {
        state.withLock { $0.subscribers.values.compactMap(\.subscriber) }
    }
}

extension ChangeHub: CompassInternal.ChangeListener {
    package func onChange(notice: Notice) {
        notify(notice)
    }
}
