import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// Automatic deletion, deletion by a person, and sessions that a search has not read yet.
final class UpkeepTests: XCTestCase {
    private let day = 86_400

    func testAClockAdvancesByMoreThanTheCoreTakesAtOnce() {
        let clock = ManualClock()
        let before = clock.now
        clock.advance(.seconds(100 * 86_400))
        XCTAssertEqual(clock.now.timeIntervalSince(before), 100 * 86_400)
    }

    func testAFlushDeletesOldBodiesFirstAndThenOldSessionsAndAPersonDeletesTheRest() async throws {
        let clock = ManualClock(), day = day
        let compass = try await Compass.ready(clock: clock) { ($0.retention, $0.bodyRetention) = (.seconds(3 * day), .seconds(day)) }
        func passes(days: Int) async throws {
            for _ in 0..<days {
                clock.advance(.seconds(day))
                _ = try await compass.flush(deadline: .seconds(10))
            }
        }
        let old = try await compass.completed().key
        _ = try await compass.flush(deadline: .seconds(10))
        let delivery = try await compass.record(old).actions[0].deliveries[0].id
        let before = try await compass.deliveryBody(delivery)
        XCTAssertNotNil(before)
        try await passes(days: 2)
        let after = try await compass.deliveryBody(delivery)
        XCTAssertNil(after)
        try await compass.setIntegrationEnabled(false)
        let notFired = try await compass.completed().key
        let ended = try await compass.begun().key
        _ = try await compass.end(ended, reason: "nobody home", commandId: fresh())
        try await passes(days: 2)
        await assertThrows(.deletedSession, try await compass.session(old))

        let report = try await compass.purge(olderThan: .zero)
        XCTAssertEqual([report.purged, report.keptNotFired, report.keptUndelivered], [1, 1, 0])
        XCTAssertEqual(report.erased, .now)
        await assertThrows(.deletedSession, try await compass.session(ended))
        let byAPerson = try await compass.purgeAllBefore(clock.now, actor: "kim")
        XCTAssertEqual([byAPerson.purged, byAPerson.keptNotFired], [1, 0])
        await assertThrows(.deletedSession, try await compass.session(notFired))
        let deleted = try await compass.delete(try await compass.completed().key).erased
        XCTAssertEqual(deleted, .now)
        try await compass.close()
    }

    func testASearchReportsHowManySessionsItHasNotRead() async throws {
        let compass = try await Compass.ready()
        for _ in 0..<201 { _ = try await compass.begun() }
        var search = SessionFilter()
        search.text = "pump"
        let (first, second) = (try await compass.sessions(search), try await compass.sessions(search))
        XCTAssertEqual([first.notIndexed, second.notIndexed], [1, 0])
        try await compass.close()
    }
}
