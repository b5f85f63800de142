/// Looks secrets up, once per attempt to deliver, on a thread of the core's own. The database holds names of secrets, never secrets.
///
/// ```swift
/// struct FromServer: SecretStore {
///     let keys: [String: String]
///     func secret(named name: String) -> SecretLookup {
///         keys[name].map { .found(current: $0, previous: nil) } ?? .missing
///     }
/// }
/// ```
public protocol SecretStore: Sendable {
    /// The secret of this name, and the one before it while a rotation lasts. A store that throws counts as unavailable: the message
    /// waits, and the store is asked again.
    func secret(named name: String) throws -> SecretLookup
}
