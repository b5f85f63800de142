import CompassCore
import Foundation
import XCTest

final class ValueTests: XCTestCase {
    func testADecimalKeepsItsDigits() {
        XCTAssertEqual(DecimalValue("182.50")?.description, "182.50")
        XCTAssertEqual(DecimalValue("182.50")?.decimal, Decimal(string: "182.5"))
        XCTAssertNotEqual(DecimalValue("1.0"), DecimalValue("1.00"))
        XCTAssertEqual(DecimalValue(Decimal(string: "-12.25")!).text, "-12.25")
        for wrong in ["", "-", "1.", ".5", "1e5", "+1", "1,5", "1.2.3", "٣", " 1"] { XCTAssertNil(DecimalValue(wrong), wrong) }
    }

    func testDatesAreThoseOfTheCalendar() {
        XCTAssertEqual(LocalDate("2028-02-29")?.description, "2028-02-29")
        XCTAssertLessThan(LocalDate("2026-11-23")!, LocalDate("2026-12-01")!)
        for wrong in ["2026-02-29", "1900-02-29", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-01T00:00", "-026-01-01"] {
            XCTAssertNil(LocalDate(wrong), wrong)
        }
    }

    func testTimesAreThoseOfAClock() {
        XCTAssertEqual(LocalTime("18:31")?.description, "18:31:00")
        XCTAssertEqual(LocalTime("18:31:40.5")?.description, "18:31:40.500")
        XCTAssertEqual(LocalTime("18:31:40.000001")?.nanosecond, 1000)
        for wrong in ["24:00", "18:60", "18", "18:31:40.", "18:31.5", "8:31", "18:31:40.1234567891"] { XCTAssertNil(LocalTime(wrong), wrong) }
    }

    func testAMomentKeepsTheOffsetAtWhichItWasEntered() {
        let moment = OffsetDateTime("2026-11-23T19:31:40+01:00")
        XCTAssertEqual(moment?.description, "2026-11-23T19:31:40+01:00")
        XCTAssertEqual(moment?.instant, Date(timeIntervalSince1970: 1_795_458_700))
        XCTAssertEqual(OffsetDateTime("2026-11-23T18:31:40Z")?.instant, moment?.instant)
        XCTAssertEqual(OffsetDateTime("2026-11-23T13:01:40-05:30")?.instant, moment?.instant)
        for wrong in ["2026-11-23", "2026-11-23T18:31:40", "2026-11-23T18:31:40+1", "2026-11-23 18:31:40Z"] {
            XCTAssertNil(OffsetDateTime(wrong), wrong)
        }
    }

    func testSecretsAndRequestsArePrintedWithoutWhatTheyHold() {
        let found = SecretLookup.found(current: "whsec_topsecret", previous: nil)
        let request = TransportRequest(
            id: 1, url: "https://example.com/hooks/token", headers: [TransportHeader(name: "authorization", value: "Bearer topsecret")], body: Data("topsecret".utf8),
            timeout: .seconds(30))
        var dumped = ""
        dump(found, to: &dumped)
        dump(request, to: &dumped)
        dump(request.headers, to: &dumped)
        for text in ["\(request.headers)", "\(found)", String(reflecting: found), "\(request)", String(reflecting: request), dumped] {
            XCTAssertFalse(text.contains("topsecret"), text)
            XCTAssertFalse(text.contains("token"), text)
        }
    }
}
