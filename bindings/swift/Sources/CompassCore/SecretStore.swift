/// Looks secrets up: the keys that sign webhooks, and the values of secret headers. The database holds only their names.
///
/// ```swift
/// struct FromServer: SecretStore {
///     let keys: [String: String]
///     func get(named name: String, origin: String) -> SecretLookup {
///         keys[name].map { .found(current: $0, previous: nil) } ?? .missing
///     }
/// }
/// ```
public protocol SecretStore: Sendable {
    /// The secret of this name, and the previous one while a rotation lasts, needed for an endpoint at `origin`: its scheme, host and port,
    /// as in `https://hooks.example:8443`. Called once per delivery attempt, on a thread of the core's, several at once; may block. If it
    /// throws, that counts as unavailable: the message waits and is tried again.
    func get(named name: String, origin: String) throws -> SecretLookup
    /// A receiver at `origin` answered 401 or 403 to a request with this secret in a header: a token may have expired. Called once per
    /// value, before the next look-up of the name, on a thread of the core's; may block while it fetches another token. If the store then
    /// gives another value, the message is tried once more at once. Never called for a signing secret. If it throws, that is ignored.
    func refused(named name: String, origin: String) throws
}

extension SecretStore {
    /// Does nothing.
    public func refused(named name: String, origin: String) {}
}
