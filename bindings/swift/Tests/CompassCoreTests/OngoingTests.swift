import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// What goes on when the database of a handle is replaced.
final class OngoingTests: XCTestCase {
    private let metered = Connectivity.online(validated: true, metered: true, network: nil)
    private let free = Connectivity.online(validated: true, metered: false, network: nil)

    private func handles(_ transport: ScriptedTransport, _ check: (Compass) async throws -> Void) async throws {
        for isLazy in [true, false] {
            let options = try CompassOptions.testing(transport: transport)
            let compass = isLazy ? Compass.lazy(options) : try await Compass.open(options)
            try await check(compass)
            try await compass.close()
        }
    }

    private func prepare(_ compass: Compass, network: NetworkPolicy = .any) async throws {
        _ = try await compass.importWorkflow(pumpCheck)
        try await compass.setIntegrationEnabled(true)
        try await compass.putEndpoint(
            Endpoint(key: "office", url: "https://office.test/hooks", signing: .none, headers: [], network: network))
    }

    func testANetworkThatWasReportedIsKnownForTheNextDatabase() async throws {
        let transport = ScriptedTransport()
        try await handles(transport) { compass in
            try await prepare(compass, network: .unmetered)
            try await compass.setConnectivity(metered)
            _ = try await compass.completed()
            let before = transport.requests.count
            _ = try await compass.flush()
            try await compass.whileClosed { _ in }
            _ = try await compass.flush()
            XCTAssertEqual(transport.requests.count, before)
            try await compass.setConnectivity(free)
            _ = try await compass.flush()
            XCTAssertEqual(transport.requests.count, before + 1)
        }
    }

    func testANetworkThatWasReportedIsKnownAfterClosing() async throws {
        let transport = ScriptedTransport()
        let compass = Compass.lazy(try .testing(transport: transport))
        try await prepare(compass, network: .unmetered)
        try await compass.setConnectivity(metered)
        _ = try await compass.completed()
        try await compass.close()
        _ = try await compass.flush()
        XCTAssertEqual(transport.requests.count, 0)
        try await compass.close()
    }

    func testDeliveryGoesOnWithTheNextDatabaseAndAfterARefusal() async throws {
        try await handles(ScriptedTransport()) { compass in
            let hold = try await compass.resume()
            try await compass.startDelivery()
            try await prepare(compass)
            try await compass.setConnectivity(.offline)
            _ = try await compass.completed()
            await assertThrows(.undelivered, try await compass.erase())
            try await compass.setConnectivity(free)
            try await eventually { try await compass.outboxTotals().pending == 0 }

            try await compass.erase()
            try await prepare(compass)
            _ = try await compass.completed()
            try await eventually { try await compass.outboxTotals().pending == 0 }
            await hold.release()
            // The last hold, also of the database that is open now.
            let report = try await compass.flush()
            XCTAssertEqual(report.end, .quiesced)
        }
    }

    func testAHoldThatWasReleasedDoesNotGoOn() async throws {
        try await handles(ScriptedTransport()) { compass in
            let hold = try await compass.resume()
            let other = try await compass.resume()
            await hold.release()
            try await compass.whileClosed { _ in }
            await hold.release()
            let held = try await compass.flush()
            XCTAssertEqual(held.end, .drained)
            await other.release()
            let released = try await compass.flush()
            XCTAssertEqual(released.end, .quiesced)
        }
    }
}
