import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// The platform's transport against a receiver that misbehaves, over TLS. docs/embedding-ios.md lists what this stack cannot distinguish.
final class URLSessionTransportTests: XCTestCase {
    /// The result of a row in the table of outcomes.
    private enum Expected: Equatable {
        case status(UInt16)
        case failure(FailureKind, Phase, RequestSent)
    }

    private static let shared = Locked<Receiver?>(nil)
    private var receiver: Receiver!

    override func setUp() async throws {
        if Self.shared.withLock({ $0 }) == nil {
            let receiver = try await Receiver()
            try receiver.trust()
            Self.shared.withLock { $0 = receiver }
        }
        receiver = Self.shared.withLock { $0 }
        _ = try await receiver.requests()
        _ = receiver.broken()
    }

    private func request(_ port: String, _ path: String, id: UInt64 = 1, timeout: Duration = .seconds(20)) -> TransportRequest {
        let headers = [
            TransportHeader(name: "content-type", value: "application/json; charset=utf-8"),
            TransportHeader(name: "webhook-id", value: "msg_1"),
        ]
        return TransportRequest(
            id: id, url: receiver.url(port, path), headers: headers, body: Data(#"{"site":"Ærø"}"#.utf8), timeout: timeout)
    }

    private func send(_ request: TransportRequest, with transport: URLSessionTransport) async throws -> TransportOutcome {
        try await withWatchdog("A request") { await Task.detached { transport.send(request) }.value }
    }

    private func check(_ rows: [(port: String, path: String, expected: Expected)], requests: Int, timeout: Duration = .seconds(20)) async throws {
        let transport = URLSessionTransport()
        let clock = ContinuousClock()
        for row in rows {
            let began = clock.now
            let outcome = try await send(request(row.port, row.path, timeout: timeout), with: transport)
            let found: Expected =
                switch outcome {
                case .answered(let response): .status(response.status)
                case .failed(let failure): .failure(failure.kind, failure.phase, failure.requestSent)
                }
            let came = try await receiver.requests(), broken = receiver.broken()
            // To find the cause of a failure on another machine: the outcome contains the code of the error.
            let seen = "\(row.port) \(row.path): \(outcome) after \(clock.now - began), \(came.map(\.path)) came, broke: \(broken)"
            XCTAssertEqual(found, row.expected, seen)
            XCTAssertEqual(came.count, requests, "sent once and never again: \(seen)")
        }
    }

    func testARequestArrivesAsItIsGiven() async throws {
        let transport = URLSessionTransport()
        let outcome = try await send(request("good", "echo"), with: transport)
        guard case .answered(let response) = outcome else { return XCTFail("\(outcome)") }
        XCTAssertEqual(response.status, 200)
        XCTAssertEqual(response.headers.first { $0.name == "x-kind" }?.value, "Echo")
        XCTAssertEqual(response.body, Data("taken".utf8))
        let requests = try await receiver.requests()
        let came = try XCTUnwrap(requests.first)
        XCTAssertEqual(came.method, "POST")
        XCTAssertEqual(came.body, #"{"site":"Ærø"}"#)
        XCTAssertEqual(came.headers["content-length"], "16")
        XCTAssertNil(came.headers["transfer-encoding"])
        XCTAssertEqual(came.headers["content-type"], "application/json; charset=utf-8")
        XCTAssertEqual(came.headers["webhook-id"], "msg_1")
        XCTAssertNil(came.headers["cookie"])
    }

    func testEveryStatusIsAnAnswerAndNoRedirectIsFollowed() async throws {
        let statuses: [UInt16] = [
            101, 200, 202, 226, 299, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 407, 408, 409, 410, 413, 421, 425, 429, 451, 500,
            501, 502, 503, 504, 505, 511, 599, 600, 999,
        ]
        try await check(statuses.map { ("good", "status/\($0)", .status($0)) } + [("good", "no-content", .status(204))], requests: 1)
    }

    func testAnInterimAnswerIsNotTheAnswer() async throws {
        try await check([("good", "interim", .status(202))], requests: 1)
    }

    func testOnceTheHeadIsReadItDecides() async throws {
        try await check(
            ["cut-body", "bad-chunk", "bad-gzip", "huge", "slow-body"].map { ("good", $0, .status(200)) }, requests: 1)
    }

    func testAfterTheRequestWasSentTheMessageMayHaveBeenDelivered() async throws {
        try await check(
            ["close", "reset", "garbage", "cut-head", "status/000"].map { ("good", $0, .failure(.closed, .receive, .maybe)) }, requests: 1)
        try await check([("good", "hang", .failure(.timeout, .receive, .maybe))], requests: 1, timeout: .seconds(1))
    }

    func testACertificateThatIsNotTrustedKeepsTheMessageBack() async throws {
        try await check(
            ["unknown", "other", "expired", "early", "plain_on_tls"].map { ($0, "echo", .failure(.refused, .connect, .no)) }, requests: 0)
    }

    func testWithoutAConnectionNothingIsSent() async throws {
        try await check(
            [("refused", "echo", .failure(.refused, .connect, .no)), ("reset", "echo", .failure(.other, .connect, .no))], requests: 0)
        let nowhere = TransportRequest(
            id: 1, url: "https://nowhere.invalid/hooks", headers: [], body: Data("{}".utf8), timeout: .seconds(20))
        let outcome = try await send(nowhere, with: URLSessionTransport())
        guard case .failed(let failure) = outcome else { return XCTFail("\(outcome)") }
        XCTAssertEqual([failure.kind], [.dns])
        XCTAssertEqual(failure.requestSent, .no)
        XCTAssertFalse(failure.detail.contains("nowhere"))
    }

    func testABrokenConnectionDoesNotMakeItSendAgain() async throws {
        let transport = URLSessionTransport()
        for id in 1...2 { _ = try await send(request("good", "keep", id: UInt64(id)), with: transport) }
        let came = try await receiver.requests()
        XCTAssertEqual(came.count, 2)
    }

    func testAnAttemptEndsAtItsTimeout() async throws {
        let outcome = try await send(request("silent", "echo", timeout: .seconds(1)), with: URLSessionTransport())
        guard case .failed(let failure) = outcome else { return XCTFail("\(outcome)") }
        XCTAssertEqual(failure.kind, .timeout)
    }

    func testARequestCanBeCancelledAndConnectionsRenewed() async throws {
        let transport = URLSessionTransport()
        let hanging = request("good", "hang", id: 7)
        let sending = Task.detached { transport.send(hanging) }
        try await eventually { try await !receiver.requests().isEmpty }
        transport.cancel(8)
        transport.renew()
        transport.cancel(7)
        let outcome = try await withWatchdog("A cancelled request") { await sending.value }
        guard case .failed(let failure) = outcome else { return XCTFail("\(outcome)") }
        XCTAssertEqual(failure.kind, .cancelled)
        XCTAssertEqual(failure.requestSent, .maybe)
        let after = try await send(request("good", "echo"), with: transport)
        guard case .answered = after else { return XCTFail("\(after)") }
    }

    func testAfterRenewingNoKeptConnectionIsUsedAndRunningRequestsGoOn() async throws {
        let transport = URLSessionTransport()
        let waiting = request("good", "wait", id: 7)
        let sending = Task.detached { transport.send(waiting) }
        try await eventually { try await !receiver.requests().isEmpty }
        // A connection takes one request to this path and breaks at the next.
        for id in 8...9 {
            let outcome = try await send(request("good", "keep", id: UInt64(id)), with: transport)
            guard case .answered(let response) = outcome else { return XCTFail("\(outcome)") }
            XCTAssertEqual(response.status, 200)
            transport.renew()
        }
        try receiver.answerWaitingRequests()
        let outcome = try await withWatchdog("A request that goes on") { await sending.value }
        guard case .answered(let response) = outcome else { return XCTFail("\(outcome)") }
        XCTAssertEqual(response.status, 200)
    }

    func testACancellationThatWasNotRequestedIsAFailureLikeOthers() {
        let (kind, place) = FailureKind.meaning(of: .cancelled)
        XCTAssertEqual(kind, .other)
        XCTAssertNil(place)
    }

    func testTheCoreDeliversSignedThroughIt() async throws {
        let compass = try await Compass.ready(
            clock: nil, transport: URLSessionTransport(), secrets: MemorySecretStore(["office": secret]))
        for (path, status, reason) in [
            ("echo", ActionStatus.sent, nil), ("status/302", .pending, "redirect"), ("status/503", .pending, "server_error"),
            ("status/400", .failed, "rejected"), ("close", .pending, "timeout"),
        ] {
            try await compass.putEndpoint(officeAt(receiver.url("good", path), signing: .standardWebhooks(secret: "office")))
            let view = try await compass.completed()
            _ = try await compass.flush(deadline: .seconds(10))
            let action = try await compass.record(view.key).actions[0]
            XCTAssertEqual(action.status, status, path)
            if let reason { XCTAssertEqual(action.reason, reason, path) }
            XCTAssertEqual(action.deliveries[0].mayHaveBeenDelivered, path == "close", path)
            // A waiting message must not be sent to the next row's endpoint.
            if status != .sent { _ = try await compass.abandon("report", in: view.key, actor: "ada", reason: "done", commandId: fresh()) }
        }
        let came = try await receiver.requests()
        XCTAssertGreaterThanOrEqual(came.count, 5)
        XCTAssertFalse(came.contains { $0.path == "/landed" || $0.headers["webhook-signature"] == nil })
        try await compass.close()
    }
}

extension Receiver {
    /// Makes its authority one of the machine's, in a mount namespace that only this test uses. Elsewhere these tests are skipped, because
    /// Foundation on Linux accepts an authority in no other way.
    func trust() throws {
        guard ProcessInfo.processInfo.environment["COMPASS_OWN_MOUNTS"] == "1" else {
            throw XCTSkip("this test must not change the machine's authorities: see tests/suites/chroot.sh")
        }
        let bundle = "/etc/ssl/certs/ca-certificates.crt"
        let mount = try Process.run(URL(fileURLWithPath: "/usr/bin/env"), arguments: ["mount", "--bind", authority.path, bundle])
        mount.waitUntilExit()
        if mount.terminationStatus != 0 { throw XCTSkip("mount --bind is not allowed here") }
    }
}
