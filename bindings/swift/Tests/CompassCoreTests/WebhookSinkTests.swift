import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// The receiver for tests of an app.
final class WebhookSinkTests: XCTestCase {
    private let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

    func testASinkKeepsWhatIsSentAndAnswersAsItIsTold() async throws {
        // The core's own transport, and the platform's.
        for transport in [nil, URLSessionTransport()] as [(any Transport)?] {
            let answers = Locked([SinkAnswer(status: 503, headers: ["x-kind": "busy"], body: Data("later".utf8)), SinkAnswer(status: 202)])
            let office = try WebhookSink { _ in answers.withLock { $0.removeFirst() } }
            let clock = ManualClock()
            let compass = try await Compass.ready(clock: clock, transport: transport, secrets: MemorySecretStore(["office": secret]))
            try await compass.putEndpoint(Endpoint(key: "office", url: office.url, signing: .standardWebhooks(secret: "office")))
            let view = try await compass.completed(site: "Ærø")
            let refused = try await compass.flush(deadline: .seconds(20))
            XCTAssertEqual(refused.sent, 0)
            clock.advance(.seconds(3600))
            let sent = try await compass.flush(deadline: .seconds(20))
            XCTAssertEqual(sent.sent, 1)

            let (first, second) = (try await office.next(), try await office.next())
            XCTAssertEqual(office.received, [first, second])
            XCTAssertEqual([first, second].map { $0.headers["compass-attempt"] }, ["1", "2"])
            XCTAssertEqual(first.path, "/hooks")
            let record = try await compass.record(view.key)
            XCTAssertEqual([first.id, second.id], [record.actions[0].deliveries[0].id, first.id])
            XCTAssertEqual(first.body, second.body)
            XCTAssertTrue(first.text.contains("Ærø"))
            XCTAssertTrue(first.isSigned(with: secret))
            XCTAssertFalse(first.isSigned(with: "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="))
            XCTAssertFalse(ReceivedWebhook(path: first.path, headers: first.headers, body: Data("{}".utf8)).isSigned(with: secret))
            office.close()
            try await compass.close()
        }
    }

    func testWhoWaitsGetsTheNextWebhookOrAnError() async throws {
        let office = try WebhookSink()
        do {
            _ = try await office.next(within: .milliseconds(1))
            XCTFail("something came")
        } catch { XCTAssertTrue(error is WebhookSink.NoWebhook, "\(error)") }
        let waiting = Task { try await office.next() }
        let compass = try await Compass.ready(clock: nil, transport: nil, secrets: MemorySecretStore(["office": secret]))
        try await compass.putEndpoint(Endpoint(key: "office", url: office.url, signing: .none))
        let tested = try await compass.testDelivery("office")
        XCTAssertEqual(tested.status, 202)
        let webhook = try await withWatchdog("A webhook") { try await waiting.value }
        XCTAssertEqual(office.received, [webhook])
        let ended = Task { try await office.next() }
        office.close()
        try await withWatchdog("The end") { if case .success = await ended.result { XCTFail("something came") } }
        let gone = try await compass.testDelivery("office")
        XCTAssertFalse(gone.delivered)
        try await compass.close()
    }

    func testASignatureIsThatOfTheStandard() {
        // RFC 4231, cases 2 and 6: a short key, and one longer than a block.
        func hex(_ bytes: [UInt8]) -> String { bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
        XCTAssertEqual(
            hex(Sha256.hmac(of: "what do ya want for nothing?".utf8, key: Data("Jefe".utf8))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        XCTAssertEqual(
            hex(Sha256.hmac(of: "Test Using Larger Than Block-Size Key - Hash Key First".utf8, key: [UInt8](repeating: 0xaa, count: 131))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }
}
