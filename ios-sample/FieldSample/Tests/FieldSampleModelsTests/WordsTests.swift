import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

@testable import FieldSampleModels

final class WordsTests: XCTestCase {
    func testEveryMessageIsInBothLanguagesWithTheSamePlaces() throws {
        let (english, arabic) = (try Catalog("en"), try Catalog("ar"))
        for id in TextId.allCases {
            let (one, other) = (try XCTUnwrap(english.words[id.key]?[""], id.key), try XCTUnwrap(arabic.words[id.key]?[""], id.key))
            XCTAssertFalse(one.isEmpty || other.isEmpty, id.key)
            for place in ["%1$@", "%2$@", "%3$@", "%4$@"] { XCTAssertEqual(one.contains(place), other.contains(place), "\(id.key) \(place)") }
        }
        for id in CountId.allCases {
            XCTAssertEqual(english.words[id.key].map { Set($0.keys) }, ["one", "other"], id.key)
            XCTAssertEqual(arabic.words[id.key].map { Set($0.keys) }, ["zero", "one", "two", "few", "many", "other"], id.key)
        }
        let known = Set(TextId.allCases.map(\.key) + CountId.allCases.map(\.key))
        XCTAssertEqual(Set(english.words.keys).subtracting(known), [], "words that nothing shows")
    }

    func testCountsHaveTheirPlural() throws {
        XCTAssertEqual(try phrases()(.count(.statusNoSignalWaiting, 3)), "No signal: 3 saved, will send")
        XCTAssertEqual(try phrases()(.count(.outboxWaiting, 1)), "1 message waits")
        XCTAssertEqual(try phrases("ar")(.count(.outboxWaiting, 2)), "رسالتان في الانتظار")
    }

    func testNumbersKeepTheirDigitsAndTakeTheFormOfTheLocale() throws {
        XCTAssertEqual(try phrases()(.number("182.50")), "182.50")
        XCTAssertEqual(try phrases()(.number("-0.10")), "-0.10")
        XCTAssertEqual(
            Phrases(locale: Locale(identifier: "de_DE"), zone: .gmt, messages: try Catalog("en"))(.number("1182.50")), "1182,50")
    }

    func testAnArgumentThatLooksLikeAPlaceStaysAsItIs() throws {
        XCTAssertEqual(
            try phrases()(.text(.timelineEnded, .plain("%2$@"), .plain("100 %"))), "Ended early in “%2$@”: 100 %")
    }

    func testMomentsAreShownInTheirOwnTime() throws {
        let moment = try XCTUnwrap(OffsetDateTime("2027-01-15T13:30:00+05:30"))
        let shown = try phrases()(.offsetMoment(moment))
        XCTAssertTrue(shown.contains("13:30") && shown.hasSuffix("+05:30"), shown)
        XCTAssertTrue(try phrases()(.day(LocalDate("2027-01-15")!)).contains("2027"))
        XCTAssertTrue(try phrases()(.time(LocalTime("08:30:00")!)).contains("08:30"))
    }

    func testCodesHaveWordsAndUnknownOnesAreShown() throws {
        XCTAssertEqual(try phrases()(reasonWords("captive_portal")), "This network wants you to sign in")
        XCTAssertEqual(try phrases()(reasonWords("proxy")), "This network’s proxy wants a login: sign in, or use another network")
        XCTAssertEqual(try phrases()(reasonWords("endpoint_corrupt")), "The endpoint’s settings are damaged: save them again")
        XCTAssertEqual(try phrases()(reasonWords("earlier_revision")), "An earlier version is still being sent")
        XCTAssertEqual(try phrases()(reasonWords("weather")), "Reason: weather")
        let early = Problem.fixture(field: "day", code: "too_early", limit: "2027-01-15")
        XCTAssertEqual(early.words(nil), .text(.problemTooEarly, .day(LocalDate("2027-01-15")!)))
        XCTAssertEqual(try phrases()(CompassError(code: "new_code").words), "That did not work (new_code). Nothing was lost.")
    }

    func testThereAreOwnWordsForWhatMayGoWrongWithAFileAWorkflowOrAnotherProcess() throws {
        let codes = [
            "requires_newer_core", "workflow_in_use", "corrupt", "undelivered", "locked", "newer_schema", "not_a_database", "disk_full",
            "cannot_open",
        ]
        for language in ["en_GB", "ar_EG"] {
            let words = try codes.map { try phrases(language)(CompassError(code: CompassError.Code(rawValue: $0)).words) }
            XCTAssertEqual(Set(words).count, codes.count, "\(words)")
            for (code, words) in zip(codes, words) { XCTAssertFalse(words.contains(code) || words.hasPrefix("?"), words) }
        }
        XCTAssertNotEqual(CompassError(code: .undelivered).words, CompassError(code: .actionLocked).words)
    }

    func testNumbersAreTypedAsTheLocaleWritesThem() throws {
        let pressure = FieldView.fixture(definition: .fixture(key: "pressure", kind: .decimal(min: nil, max: nil, decimalPlaces: nil)))
        for (locale, typed, shown) in [("de_DE", " 1,50 ", "1,50"), ("ar_EG", "١٫٥٠", "1٫50"), ("en_GB", "1.50", "1.50")] {
            var typing = Typing()
            typing.type(typed, "pressure")
            let read = try typing.read([pressure])
            XCTAssertEqual(read.changes, [FieldChange(field: "pressure", change: .set(.decimal(DecimalValue("1.50")!)))], locale)
            let set = FieldView.fixture(definition: pressure.definition, state: .provided(.decimal(DecimalValue("1.50")!)))
            let input = set.item(Typing(), missing: nil, locale: Locale(identifier: locale)).input
            XCTAssertEqual(input, .line(text: shown, keyboard: .signedDecimal, multiline: false), locale)
        }
    }

    func testAMessageIsIndentedForPeople() {
        XCTAssertEqual(indented(#"{"a":"x, {y}","b":[],"c":[1.50]}"#), "{\n  \"a\": \"x, {y}\",\n  \"b\": [],\n  \"c\": [\n    1.50\n  ]\n}")
    }

    func testAnAddressIsShownWithoutItsPath() {
        XCTAssertEqual(origin("https://office.example:8443/hooks?token=abc"), "https://office.example:8443")
    }

    func testViewsCallNothingOfTheCore() throws {
        let folder = Catalog.repository.appendingPathComponent("ios-sample/App/Sources")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        XCTAssertGreaterThan(files.count, 15)
        for file in files {
            let text = try String(contentsOf: file, encoding: .utf8)
            for word in ["CompassHandle", "Compass.", "CompassOptions", ".compass."] { XCTAssertFalse(text.contains(word), file.lastPathComponent) }
        }
    }
}
