public import CompassCore

/// Secrets in memory, which are rotated as in the stores for phones.
///
/// ```swift
/// let secrets = MemorySecretStore(["office": "whsec_…"])
/// ```
public final class MemorySecretStore: SecretStore {
    private let secrets = RotatingSecrets(Items())

    /// With these secrets, by name.
    public init(_ secrets: [String: String] = [:]) {
        for (name, secret) in secrets { set(secret, named: name) }
    }

    /// Stores a secret. The one before it stays as the previous one, and messages are signed with both, until ``endRotation(named:)``; a text
    /// that cannot sign a message is not kept. Then call `secretsChanged` of the handle.
    public func set(_ secret: String, named name: String) { try? secrets.set(secret, named: name) }

    /// Removes the previous secret of this name: its receiver knows the new one.
    public func endRotation(named name: String) { try? secrets.endRotation(named: name) }

    /// Removes the secrets of this name; does nothing if there is none.
    public func remove(named name: String) { try? secrets.remove(named: name) }

    /// The secrets of this name, for any receiver.
    public func get(named name: String, origin: String) -> SecretLookup { secrets.get(named: name) }

    private final class Items: SecretItems {
        private let texts = Locked<[String: String]>([:])

        func read(_ item: String) -> String? { texts.withLock { $0[item] } }
        func write(_ text: String, _ item: String) { texts.withLock { $0[item] = text } }
        func delete(_ item: String) { texts.withLock { $0[item] = nil } }
    }
}
