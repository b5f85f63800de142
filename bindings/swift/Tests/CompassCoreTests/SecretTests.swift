import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// When the core looks secrets up, and how those of a rotation are kept.
final class SecretTests: XCTestCase {
    func testASecretStoreGetsTheOriginOfTheEndpoint() async throws {
        struct Asked: SecretStore {
            let names = Locked<[String]>([])
            func get(named name: String, origin: String) -> SecretLookup {
                names.withLock { $0.append("\(name) \(origin)") }
                return .missing
            }
        }
        let store = Asked()
        let compass = try await Compass.ready(secrets: store)
        let signing = Signing.standardWebhooks(secret: "office")
        try await compass.putEndpoint(officeAt("https://office.example:8443/hooks?token=1", signing: signing))
        _ = try await compass.completed()
        _ = try await compass.flush(deadline: .seconds(10))
        XCTAssertEqual(store.names.withLock { $0 }, ["office https://office.example:8443"])
        try await compass.close()
    }

    func testOnlyASecretThatCanSignStaysAsThePreviousOne() {
        func of(_ bytes: Int) -> String { "whsec_" + Data(count: bytes).base64EncodedString() }
        for text in [secret, of(24), of(25), of(64)] { XCTAssertTrue(isSigningSecret(text), text) }
        let unpadded = of(25).replacingOccurrences(of: "=", with: "")
        for text in ["", of(0), of(23), of(65), String(secret.dropFirst(6)), "whsec_mistyped", secret + " ", unpadded] {
            XCTAssertFalse(isSigningSecret(text), text)
        }
    }

    func testSecretsAreLookedUpAtEachAttemptAndAMissingOneKeepsTheMessageBack() async throws {
        let secrets = MemorySecretStore()
        let transport = ScriptedTransport()
        let compass = try await Compass.ready(transport: transport, secrets: secrets)
        let view = try await compass.completed()
        _ = try await compass.flush(deadline: .seconds(10))
        let waiting = try await compass.record(view.key).actions[0]
        XCTAssertEqual(waiting.reason, "secret_missing")
        XCTAssertTrue(transport.requests.isEmpty)
        secrets.set(secret, named: "office")
        try await compass.secretsChanged()
        let report = try await compass.flush(deadline: .seconds(10))
        XCTAssertEqual(report.sent, 1)
        try await compass.close()
    }

    func testASecretInMemoryIsRotatedAsOneOfAPhone() {
        func found(_ store: MemorySecretStore) -> [String?] {
            guard case .found(let current, let previous) = store.get(named: "office", origin: "https://office.test") else { return [] }
            return [current, previous]
        }
        let next = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="
        let store = MemorySecretStore(["office": secret])
        store.set(next, named: "office")
        store.set(next, named: "office")
        XCTAssertEqual(found(store), [next, secret])
        store.endRotation(named: "office")
        XCTAssertEqual(found(store), [next, nil])
        store.set("mistyped", named: "office")
        store.set(secret, named: "office")
        XCTAssertEqual(found(store), [secret, nil])
        store.remove(named: "office")
        XCTAssertEqual(found(store), [])
    }

    /// A store of texts that counts its changes, and may be locked.
    private final class MemoryItems: SecretItems {
        let texts = Locked<[String: String]>([:])
        let changes = Locked(0)
        let locked = Locked(false)

        private struct Closed: Error {}

        private func open() throws { if locked.withLock({ $0 }) { throw Closed() } }

        func read(_ item: String) throws -> String? {
            try open()
            return texts.withLock { $0[item] }
        }

        func write(_ text: String, _ item: String) throws {
            try open()
            changes.withLock { $0 += 1 }
            texts.withLock { $0[item] = text }
        }

        func delete(_ item: String) throws {
            try open()
            changes.withLock { $0 += 1 }
            _ = texts.withLock { $0.removeValue(forKey: item) }
        }
    }

    func testThePreviousSecretStaysUntilTheRotationEnds() throws {
        func of(_ byte: UInt8) -> String { "whsec_" + Data(repeating: byte, count: 24).base64EncodedString() }
        let secrets = RotatingSecrets(MemoryItems())
        XCTAssertEqual(secrets.get(named: "office"), .missing)
        try secrets.set(of(1), named: "office")
        XCTAssertEqual(secrets.get(named: "office"), .found(current: of(1), previous: nil))
        try secrets.set(of(2), named: "office")
        try secrets.set(of(2), named: "office")
        XCTAssertEqual(secrets.get(named: "office"), .found(current: of(2), previous: of(1)))
        try secrets.endRotation(named: "office")
        XCTAssertEqual(secrets.get(named: "office"), .found(current: of(2), previous: nil))
        try secrets.set("whsec_mistyped", named: "office")
        XCTAssertEqual(secrets.get(named: "office"), .found(current: "whsec_mistyped", previous: of(2)))
        try secrets.set(of(3), named: "office")
        XCTAssertEqual(secrets.get(named: "office"), .found(current: of(3), previous: nil))
        try secrets.remove(named: "office")
        XCTAssertEqual(secrets.get(named: "office"), .missing)
    }

    func testReadingASecretChangesNothing() throws {
        let items = MemoryItems()
        let secrets = RotatingSecrets(items)
        try secrets.set(secret, named: "office")
        let before = items.changes.withLock { $0 }
        _ = secrets.get(named: "other")
        items.locked.withLock { $0 = true }
        XCTAssertEqual(secrets.get(named: "office"), .unavailable)
        // Nor does a change that cannot read the secret before it.
        XCTAssertThrowsError(try secrets.set("whsec_other", named: "office"))
        items.locked.withLock { $0 = false }
        XCTAssertEqual(secrets.get(named: "office"), .found(current: secret, previous: nil))
        XCTAssertEqual(items.changes.withLock { $0 }, before)
    }
}
