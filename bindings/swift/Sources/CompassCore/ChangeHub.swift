import CompassInternal

/// The one listener that a handle has in the core, and all its subscribers.
package final class ChangeHub: Sendable {
    /// The subscription of one iterator: whether something has changed, and where it waits.
    package final class Subscriber: Sendable {
        private struct State {
            var dirty = true
            var ended = false
            var waiting: CheckedContinuation<Void, Never>?
        }

        private let state = Locked(State())
        /// The epoch of the hub when it was subscribed.
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

        /// Ends the subscription and resumes its iterator.
        package func end() {
            state.withLock { state in
                state.ended = true
                defer { state.waiting = nil }
                return state.waiting
            }?.resume()
            leave()
        }

        /// Waits until something has changed; false when the subscription has ended.
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
        var attention: [Int: AsyncStream<Attention>.Continuation] = [:]
    }

    private struct Weak {
        weak var subscriber: Subscriber?
    }

    private let state = Locked(State())

    package init() {}

    /// The number of subscribers, for tests.
    package var count: Int { state.withLock { $0.subscribers.count } }

    /// How often the handle was closed.
    package var epoch: Int { state.withLock { $0.epoch } }

    package func subscribe(_ wants: @escaping @Sendable (Notice) -> Bool) -> Subscriber {
        let (number, epoch) = state.withLock { state in
            state.next += 1
            return (state.next, state.epoch)
        }
        let subscriber = Subscriber(epoch: epoch, wants: wants) { [weak self] in
            // What is taken out is released outside the lock.
            _ = self?.state.withLock { $0.subscribers.removeValue(forKey: number) }
        }
        let closed = state.withLock { state in
            state.subscribers[number] = Weak(subscriber: subscriber)
            return state.closed || state.epoch != epoch
        }
        if closed { subscriber.end() }
        return subscriber
    }

    /// Gives each from now on.
    package func attention() -> AsyncStream<Attention> {
        let (stream, continuation) = AsyncStream.makeStream(of: Attention.self, bufferingPolicy: .bufferingNewest(1000))
        let number = state.withLock { state -> Int? in
            if state.closed { return nil }
            state.next += 1
            state.attention[state.next] = continuation
            return state.next
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in _ = self?.state.withLock { $0.attention.removeValue(forKey: number) } }
        return stream
    }

    package func notify(_ notice: Notice) {
        for subscriber in allSubscribers() where notice.everything || subscriber.wants(notice) { subscriber.wake() }
        if notice.attention.isEmpty { return }
        for continuation in state.withLock({ Array($0.attention.values) }) { notice.attention.forEach { continuation.yield($0) } }
    }

    /// The handle is closed: every sequence completes. With `forGood`, later ones complete too; otherwise they query the next core.
    package func close(forGood: Bool = true) {
        let (listening, attention) = state.withLock { state in
            state.epoch += 1
            state.closed = state.closed || forGood
            return (state.subscribers.values.compactMap(\.subscriber), Array(state.attention.values))
        }
        for subscriber in listening { subscriber.end() }
        for continuation in attention { continuation.finish() }
    }

    /// The handle has another database: all subscribers query again.
    package func everythingChanged() {
        notify(Notice(revision: 0, sessions: [], outbox: true, endpoints: true, workflows: true, everything: true))
    }

    private func allSubscribers() -> [Subscriber] {
        state.withLock { $0.subscribers.values.compactMap(\.subscriber) }
    }
}

extension ChangeHub: CompassInternal.ChangeListener {
    package func onChange(notice: Notice) {
        notify(notice)
    }
}
