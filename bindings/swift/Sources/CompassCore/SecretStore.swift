/// Looks secrets up, once per attempt to deliver, on a thread of the core's own. The database holds names of secrets, never secrets.
///
/// ```swift
/// struct FromServer: SecretStore {
///     let keys: [String: String]
///     func secret(named name: String, origin: String) -> SecretLookup {
///         keys[name].map { .found(current: $0, previous: nil) } ?? .missing
///     }
/// }
/// ```
public protocol SecretStore: Sendable {
    /// The secret of this name, and the one before it while a rotation lasts, wanted for an endpoint at `origin`: its scheme, host and
    /// port, as in `https://hooks.example:8443`. A store that throws counts as unavailable: the message waits, and the store is asked again.
    func secret(named name: String, origin: String) throws -> SecretLookup
    /// A receiver at `origin` answered 401 or 403 to a request with this secret in a header: a token may have expired. Called once per
    /// value, before the secret of this name is asked for again; may block while it fetches another token. Where the store gives another
    /// value then, the message is tried once more at once. Never called for a signing secret. What it throws is ignored.
    func refused(named name: String, origin: String) throws
}

extension SecretStore {
    /// Nothing to fetch anew.
    public func refused(named name: String, origin: String) {}
}
