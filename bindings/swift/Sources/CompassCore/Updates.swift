/// A value and its changes: the current value first, and then each newer value that differs.
///
/// A slow reader gets only the newest value. It throws the ``CompassError`` of a query that fails (a missing session, for example), and
/// ends when the handle is closed or the task is cancelled. Each iterator is one subscription, which ends with it.
///
/// A value may have been read before a command whose outcome the app has already. A screen that shows both goes back for a moment: show the
/// values of the sequence, or those of commands.
///
/// ```swift
/// for try await view in compass.observeSession(key) {
///     self.view = view
/// }
/// ```
public struct Updates<Value: Equatable & Sendable>: AsyncSequence, Sendable {
    public typealias Element = Value

    private let hub: ChangeHub
    private let wants: @Sendable (Notice) -> Bool
    private let query: @Sendable (_ since: Int) async throws -> Value

    /// Values of `query`, which runs again after each change that is wanted. It gets the epoch of the hub at which the iterator was made.
    package init(
        hub: ChangeHub, wants: @escaping @Sendable (Notice) -> Bool, query: @escaping @Sendable (_ since: Int) async throws -> Value
    ) {
        self.hub = hub
        self.wants = wants
        self.query = query
    }

    /// Subscribes.
    public func makeAsyncIterator() -> Iterator {
        Iterator(subscriber: hub.subscribe(wants), query: query)
    }

    /// One subscription.
    public struct Iterator: AsyncIteratorProtocol {
        private var subscriber: ChangeHub.Subscriber?
        private let query: @Sendable (_ since: Int) async throws -> Value
        private var last: Value?

        fileprivate init(subscriber: ChangeHub.Subscriber, query: @escaping @Sendable (_ since: Int) async throws -> Value) {
            self.subscriber = subscriber
            self.query = query
        }

        /// The next value that differs from the one before; nil after the end.
        public mutating func next() async throws -> Value? {
            while let subscription = subscriber, await subscription.news() {
                do {
                    let value = try await query(subscription.epoch)
                    if value != last {
                        last = value
                        return value
                    }
                } catch {
                    end()
                    // A cancelled task and a closed handle end the sequence without an error.
                    if error is CancellationError || (error as? CompassError)?.code == .closed { return nil }
                    throw error
                }
            }
            end()
            return nil
        }

        private mutating func end() {
            subscriber?.end()
            subscriber = nil
        }
    }
}
