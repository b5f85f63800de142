/// Stores texts by name, such as the Keychain.
package protocol SecretItems: Sendable {
    /// The text of this name, if there is one. Changes nothing.
    func read(_ item: String) throws -> String?
    /// Adds or replaces it.
    func write(_ text: String, _ item: String) throws
    /// Removes it, if it is there.
    func delete(_ item: String) throws
}

/// The rule of rotation over such a store: the current secret of a name, and the previous one until the rotation ends.
package struct RotatingSecrets<Items: SecretItems>: Sendable {
    package let items: Items

    package init(_ items: Items) { self.items = items }

    package func get(named name: String) -> SecretLookup {
        do {
            guard let current = try items.read("current:" + name) else { return .missing }
            return .found(current: current, previous: try items.read("previous:" + name))
        } catch {
            // Before the first unlock, or another failure that passes: nothing is written because of it.
            return .unavailable
        }
    }

    package func set(_ secret: String, named name: String) throws {
        if let before = try items.read("current:" + name), before != secret {
            // A secret that was never valid has signed nothing.
            if isSigningSecret(before) { try items.write(before, "previous:" + name) } else { try items.delete("previous:" + name) }
        }
        try items.write(secret, "current:" + name)
    }

    package func endRotation(named name: String) throws { try items.delete("previous:" + name) }

    package func remove(named name: String) throws {
        try items.delete("current:" + name)
        try items.delete("previous:" + name)
    }
}
