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
    /// The Keychain said no.
    public struct Failure: Error, Hashable, Sendable {
        /// What `Security` calls it.
        public let status: Int32
    }

    private let service: String
    private let accessGroup: String?

    /// - Parameters:
    ///   - service: Tells these secrets apart from the app's others.
    ///   - accessGroup: Shares them with extensions of the app.
    public init(service: String, accessGroup: String? = nil) {
        self.service = service
        self.accessGroup = accessGroup
    }

    /// The same for every origin.
    public func secret(named name: String, origin: String) throws -> SecretLookup { try secret(named: name) }

    /// The secret of this name.
    public func secret(named name: String) throws -> SecretLookup {
        do {
            guard let current = try read("current:" + name) else { return .missing }
            return .found(current: current, previous: try read("previous:" + name))
        } catch {
            // Before the first unlock, or another moment's trouble.
            return .unavailable
        }
    }

    /// Stores a secret. The one before it stays as the previous one, and messages are signed with both, until ``endRotation(named:)``. A
    /// text before it that no message can be signed with, such as one that was mistyped, leaves no previous one.
    public func set(_ secret: String, named name: String) throws {
        if let before = try read("current:" + name), before != secret {
            if isSigningSecret(before) { try write(before, "previous:" + name) } else { try delete("previous:" + name) }
        }
        try write(secret, "current:" + name)
    }

    /// Forgets the previous secret of this name.
    public func endRotation(named name: String) throws {
        try delete("previous:" + name)
    }

    /// Forgets the secrets of this name.
    public func remove(named name: String) throws {
        try delete("current:" + name)
        try delete("previous:" + name)
    }

    /// Forgets every secret of this service: for a phone that is given back, and for a database that was erased and could not be read any
    /// more to learn their names.
    public func removeAll() throws {
        try delete(all)
    }

    /// Every secret of this service.
    private var all: [CFString: Any] {
        var query: [CFString: Any] = [
            kSecClass: kSecClassGenericPassword, kSecAttrService: service, kSecUseDataProtectionKeychain: true,
        ]
        if let accessGroup { query[kSecAttrAccessGroup] = accessGroup }
        return query
    }

    private func query(_ account: String) -> [CFString: Any] { all.merging([kSecAttrAccount: account]) { $1 } }

    private func read(_ account: String) throws -> String? {
        var query = query(account)
        query[kSecReturnData] = true
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        if status == errSecItemNotFound { return nil }
        guard status == errSecSuccess, let data = found as? Data else { throw Failure(status: status) }
        return String(decoding: data, as: UTF8.self)
    }

    private func write(_ secret: String, _ account: String) throws {
        let values: [CFString: Any] = [
            kSecValueData: Data(secret.utf8), kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
        ]
        var status = SecItemUpdate(query(account) as CFDictionary, values as CFDictionary)
        if status == errSecItemNotFound {
            status = SecItemAdd(query(account).merging(values) { $1 } as CFDictionary, nil)
        }
        guard status == errSecSuccess else { throw Failure(status: status) }
    }

    private func delete(_ account: String) throws { try delete(query(account)) }

    private func delete(_ query: [CFString: Any]) throws {
        let status = SecItemDelete(query as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else { throw Failure(status: status) }
    }
}
#endif
