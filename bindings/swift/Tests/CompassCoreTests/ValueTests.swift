import CompassCore
import CompassCoreTesting
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

    func testPoliciesAndEndpointsBeginWithTheCoresDefaults() {
        let endpoint = Endpoint(key: "office", url: "https://office.example", signing: .none)
        XCTAssertEqual(endpoint, Endpoint(key: "office", url: "https://office.example", signing: .none, headers: [], network: .any))
        var retry = RetryPolicy()
        XCTAssertEqual(retry.schedule.first, 5)
        XCTAssertEqual(retry.budgetAge, 14 * 24 * 3600)
        XCTAssertEqual(retry.budgetAttempts, 12)
        retry.maxFailedSends = 1
        XCTAssertNotEqual(retry, RetryPolicy())
    }

    func testDatesAreThoseThatTheCalendarHas() {
        XCTAssertEqual(LocalDate("2028-02-29")?.description, "2028-02-29")
        XCTAssertLessThan(LocalDate("2026-11-23")!, LocalDate("2026-12-01")!)
        for wrong in ["2026-02-29", "1900-02-29", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-01T00:00", "-026-01-01"] {
            XCTAssertNil(LocalDate(wrong), wrong)
        }
    }

    func testTimesAreThoseThatAClockShows() {
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

    func testAStateBecomesAChangeAndBack() {
        let number = FieldValue.decimal(DecimalValue("182.50")!)
        let pairs: [(FieldState, Change)] = [
            (.notProvided, .clear), (.notApplicable, .notApplicable), (.empty, .set(.text(""))), (.provided(number), .set(number)),
        ]
        for (state, change) in pairs {
            XCTAssertEqual(state.change, change)
            XCTAssertEqual(change.state, state)
        }
        XCTAssertNil(FieldState.redacted.change)
        for nothing in [FieldValue.text(" \n"), .choice(""), .choices([])] { XCTAssertEqual(Change.set(nothing).state, .empty) }
        XCTAssertEqual(FieldState.provided(number).value, number)
        XCTAssertNil(FieldState.empty.value)
    }

    func testAValueBecomesATextThatIsReadBack() throws {
        let rule = TextRule(minLength: nil, maxLength: nil, pattern: nil)
        // The key of one option is the number of the other in the list, and the other way round.
        let options = [FieldOption(key: "2", name: "3"), FieldOption(key: "1", name: "Oil, leaking")]
        let values: [(FieldKind, FieldValue, String)] = [
            (.text(rule), .text("Ærø 12"), "Ærø 12"), (.multiline(rule), .text("a\nb"), "a\nb"),
            (.email(rule), .text("ada@example.com"), "ada@example.com"),
            (.phone(rule), .text("+45 12 34"), "+45 12 34"), (.url(rule), .text("https://example.com/"), "https://example.com/"),
            (.barcode(rule), .text("00-12"), "00-12"), (.integer(min: nil, max: nil), .integer(-42), "-42"),
            (.decimal(min: nil, max: nil, decimalPlaces: nil), .decimal(DecimalValue("-182.50")!), "-182.50"),
            (.boolean, .boolean(true), "yes"), (.boolean, .boolean(false), "no"),
            (.date(min: nil, max: nil), .date(LocalDate("2026-11-23")!), "2026-11-23"),
            (.time(min: nil, max: nil), .time(LocalTime("18:31:40")!), "18:31:40"),
            (.dateTime(min: nil, max: nil), .dateTime(OffsetDateTime("2026-11-23T19:31:40+01:00")!), "2026-11-23T19:31:40+01:00"),
            (.singleChoice(options: options), .choice("1"), "1"),
            (.multipleChoice(options: options, min: nil, max: nil), .choices(["2", "1"]), "2, 1"),
        ]
        for (kind, value, text) in values {
            XCTAssertEqual(FieldState.provided(value).typedText(), text)
            XCTAssertEqual(try FieldDefinition.fixture(kind: kind).parse(text), .provided(value))
        }
        let (latitude, longitude) = (DecimalValue("54.80")!, DecimalValue("-10.4")!)
        let place = Location(latitude: latitude, longitude: longitude, accuracyM: DecimalValue("12"), capturedAt: fixtureTime)
        let text = FieldState.provided(.location(place)).typedText()
        XCTAssertEqual(text, "54.80, -10.4, 12")
        guard case .provided(.location(let read)) = try FieldDefinition.fixture(kind: .location(maxAccuracyM: nil)).parse(text)
        else { return XCTFail(text) }
        XCTAssertEqual([read.latitude, read.longitude, read.accuracyM], [place.latitude, place.longitude, place.accuracyM])
        XCTAssertEqual(FieldState.provided(.decimal(DecimalValue("182.50")!)).typedText(decimalSeparator: ","), "182,50")
        for none in [FieldState.provided(.file(FileManifest(sha256: "", mediaType: "image/jpeg", size: 1, name: "a.jpg"))), .notProvided] { XCTAssertEqual(none.typedText(), "") }
    }

    func testAMomentIsADayAndATimeInEachZone() throws {
        let moment = Date(timeIntervalSince1970: 1_795_458_700.75)
        let east = try XCTUnwrap(TimeZone(secondsFromGMT: 19_800)), west = try XCTUnwrap(TimeZone(secondsFromGMT: -39_600))
        XCTAssertEqual(LocalDate(moment, in: east)?.description, "2026-11-24")
        XCTAssertEqual(LocalTime(moment, in: east)?.description, "00:01:40")
        XCTAssertEqual(OffsetDateTime(moment, in: east)?.description, "2026-11-24T00:01:40+05:30")
        XCTAssertEqual(OffsetDateTime(moment, in: west)?.description, "2026-11-23T07:31:40-11:00")
        XCTAssertEqual(OffsetDateTime(moment, in: east)?.instant, Date(timeIntervalSince1970: 1_795_458_700))
        XCTAssertNil(LocalDate(Date(timeIntervalSince1970: 253_402_300_800), in: .gmt))
        XCTAssertNil(LocalDate(Date(timeIntervalSince1970: -70_000_000_000), in: .gmt))
    }

    func testSecretsAndRequestsArePrintedWithoutTheirContents() {
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
