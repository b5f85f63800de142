#if canImport(Security)
import Foundation
import Security

/// Secrets in the device's Keychain: readable from the first unlock on, in no backup, and on no other device.
///
/// ```swift
/// let store = KeychainSecretStore(service: "com.example.webhooks")
/// try store.set("whsec_…", named: "office")
/// try await compass.secretsChanged()
/// ```
public struct KeychainSecretStore: SecretStore {
    /// The Keychain refused.
    public struct Failure: Error, Hashable, Sendable {
        /// The status of the framework `Security`.
        public let status: Int32
    }

    private let secrets: RotatingSecrets<KeychainItems>

    /// - Parameters:
    ///   - service: Separates these secrets from other secrets of the app.
    ///   - accessGroup: Shares them with extensions of the app.
    public init(service: String, accessGroup: String? = nil) {
        secrets = RotatingSecrets(KeychainItems(service: service, accessGroup: accessGroup))
    }

    /// The same for every origin.
    public func get(named name: String, origin: String) -> SecretLookup { get(named: name) }

    /// The secret of this name. Reading adds and changes nothing, even if the Keychain fails.
    public func get(named name: String) -> SecretLookup { secrets.get(named: name) }

    /// Stores a secret. The one before it stays as the previous one, and messages are signed with both, until ``endRotation(named:)``. If
    /// the one before cannot sign messages, for example because it was mistyped, it is not kept.
    public func set(_ secret: String, named name: String) throws { try secrets.set(secret, named: name) }

    /// Removes the previous secret of this name: its receiver knows the new one.
    public func endRotation(named name: String) throws { try secrets.endRotation(named: name) }

    /// Removes the secret of this name; does nothing if there is none.
    public func remove(named name: String) throws { try secrets.remove(named: name) }

    /// Removes every secret of this service: for a phone that is returned, and for a database that was erased when it could not be read to
    /// get their names.
    public func removeAll() throws { try secrets.items.deleteAll() }
}

/// The items of one service.
private struct KeychainItems: SecretItems {
    let service: String
    let accessGroup: String?

    /// Every secret of this service.
    private var all: [CFString: Any] {
        var query: [CFString: Any] = [
            kSecClass: kSecClassGenericPassword, kSecAttrService: service, kSecUseDataProtectionKeychain: true,
        ]
        if let accessGroup { query[kSecAttrAccessGroup] = accessGroup }
        return query
    }

    private func query(_ account: String) -> [CFString: Any] { all.merging([kSecAttrAccount: account]) { $1 } }

    func read(_ account: String) throws -> String? {
        var query = query(account)
        query[kSecReturnData] = true
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        if status == errSecItemNotFound { return nil }
        guard status == errSecSuccess, let data = found as? Data else { throw KeychainSecretStore.Failure(status: status) }
        return String(decoding: data, as: UTF8.self)
    }

    func write(_ secret: String, _ account: String) throws {
        let values: [CFString: Any] = [
            kSecValueData: Data(secret.utf8), kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
        ]
        var status = SecItemUpdate(query(account) as CFDictionary, values as CFDictionary)
        if status == errSecItemNotFound {
            status = SecItemAdd(query(account).merging(values) { $1 } as CFDictionary, nil)
        }
        guard status == errSecSuccess else { throw KeychainSecretStore.Failure(status: status) }
    }

    func delete(_ account: String) throws { try delete(query(account)) }

    func deleteAll() throws { try delete(all) }

    private func delete(_ query: [CFString: Any]) throws {
        let status = SecItemDelete(query as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else { throw KeychainSecretStore.Failure(status: status) }
    }
}
#endif
