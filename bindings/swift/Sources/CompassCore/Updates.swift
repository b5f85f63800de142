/// A value and what becomes of it: the current one first, then one for each change.
///
/// Asked slowly, it skips what was in between; a value equal to the last one is not given again. It ends when the handle is closed or the
/// task is cancelled, and throws the ``CompassError`` of a query that fails (a session that does not exist, for instance). Each iterator
/// is one subscription, which ends with it.
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

    /// Values of `query`, asked again after each change that is wanted. It is told where the hub stood when the iterator was made.
    package init(
        hub: ChangeHub, wants: @escaping @Sendable (Notice) -> Bool, query: @escaping @Sendable (_ since: Int) async throws -> Value
    ) {
        self.hub = hub
        self.wants = wants
        self.query = query
    }

    /// Begins to listen.
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

        /// The next value that differs from the one before; nothing after the end.
        public mutating func next() async throws -> Value? {
            while let listening = subscriber, await listening.news() {
                do {
                    let value = try await query(listening.epoch)
                    if value != last {
                        last = value
                        return value
                    }
                } catch {
                    end()
                    // A cancelled task and a closed handle are ends like any other.
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
