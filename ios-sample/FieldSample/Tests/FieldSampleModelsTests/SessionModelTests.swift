import CompassCore
import CompassCoreTesting
import FieldSampleExamples
import Foundation
import XCTest

@testable import FieldSampleModels

@MainActor
final class SessionModelTests: XCTestCase {
    private let fake = FakeCompass(.atWork)
    private lazy var work = workplace(fake, store: MemoryStore(place: "workflows session/s1"))

    private func model() async throws -> SessionModel {
        let model = SessionModel("s1", work)
        try await eventually { !model.loading }
        return model
    }

    private func item(_ key: String, _ model: SessionModel) throws -> FieldItem { try XCTUnwrap(model.fields.first { $0.key == key }) }

    func testASectionIsShownQuietlyWithItsInputs() async throws {
        let model = try await model()
        XCTAssertEqual(model.sectionName, "Inspection and combustion")
        XCTAssertEqual(model.paragraphs, ["Look at the flame.", "Measure the pressure."])
        XCTAssertEqual(model.fields.map(\.input), [
            .line(text: "", keyboard: .barcode, multiline: false), .line(text: "", keyboard: .signedDecimal, multiline: false),
            .choice([OptionItem(key: "seal", name: "Seal", chosen: false), OptionItem(key: "valve", name: "Valve", chosen: false)], several: true),
        ])
        XCTAssertNil(model.problems)
        XCTAssertEqual(model.left, .count(.stepsLeft, 1))
        XCTAssertEqual(model.progress, 0.5)
        XCTAssertEqual(model.saved, .saved)
    }

    func testEveryLetterIsKeptAsADraftAndReadWhenTheFieldIsLeft() async throws {
        let model = try await model()
        model.field("pressure", .typed("1."))
        model.field("pressure", .typed("1.5"))
        await model.settled()
        XCTAssertEqual(fake.current.writes, ["1.", "1.5"].map { .saveDraft("pressure", text: $0, session: "s1") })
        XCTAssertEqual(fake.current.views["s1"]?.fields[1].draft, "1.5")
        XCTAssertTrue(try item("pressure", model).unsaved)
        model.field("pressure", .left)
        await model.settled()
        XCTAssertNil(fake.current.views["s1"]?.fields[1].draft)
        XCTAssertFalse(try item("pressure", model).unsaved)
        XCTAssertEqual(try item("pressure", model).state, .provided(.decimal(DecimalValue("1.5")!)))
        XCTAssertEqual(model.saved, .saved)
    }

    func testWhatCannotBeReadIsSaidAndStays() async throws {
        let model = try await model()
        model.field("pressure", .typed("a lot"))
        model.field("pressure", .left)
        await model.settled()
        XCTAssertEqual(try item("pressure", model).problem, .text(.problemNotANumber))
        XCTAssertEqual(model.saved, .notYet)
        model.answer("answer-0")
        await model.settled()
        XCTAssertEqual(model.sectionName, "Inspection and combustion")
        XCTAssertEqual(model.problems, .count(.problems, 2))
        model.field("pressure", .clear)
        await model.settled()
        XCTAssertEqual(try item("pressure", model).input, .line(text: "", keyboard: .signedDecimal, multiline: false))
    }

    func testTapsOnOptionsAddUpInTheirOrder() async throws {
        let model = try await model()
        model.field("parts", .option("valve"))
        model.field("parts", .option("seal"))
        await model.settled()
        XCTAssertEqual(try item("parts", model).state, .provided(.choices(["seal", "valve"])))
        model.field("parts", .option("valve"))
        model.field("parts", .option("seal"))
        await model.settled()
        XCTAssertEqual(try item("parts", model).state, .notProvided)
    }

    func testAnAnswerTakesTheTypedTextAlongAndTheSecondTapIsForTheSameSection() async throws {
        let model = try await model()
        model.field("serial", .typed("BX-1"))
        model.answer("answer-0")
        model.answer("answer-0")
        await model.settled()
        XCTAssertEqual(model.sectionName, "Service complete")
        XCTAssertTrue(model.canReview)
        XCTAssertEqual(fake.current.commands, [
            .setFields(changes: [FieldChange(field: "serial", change: .set(.text("BX-1")))]), .answer(visit: 1, answer: "answer-0"),
        ])
        let first = FakeState.atWork.views["s1"]!
        fake.onRun = { _, _ in CommandOutcome(applied: .yes, view: first) }
        model.back()
        await model.settled()
        XCTAssertEqual(model.sectionName, "Inspection and combustion")
        XCTAssertEqual(fake.current.commands.last, .back(visit: 2, toVisit: 1))
        XCTAssertEqual(work.navigator.top, .session("s1"))
    }

    func testBackOnTheFirstSectionLeavesTheSessionAsItIs() async throws {
        let model = try await model()
        model.field("serial", .typed("BX-1"))
        model.back()
        await model.settled()
        XCTAssertEqual(work.navigator.top, .workflows)
        XCTAssertEqual(fake.current.views["s1"]?.fields.first?.state, .provided(.text("BX-1")))
    }

    func testEndingNeedsAReasonAndLeadsToTheRecord() async throws {
        let model = try await model()
        model.sheet = .end(reason: " ")
        model.end()
        await model.settled()
        XCTAssertEqual(fake.current.views["s1"]?.state, .inProgress)
        model.sheet = .end(reason: "nobody home ")
        model.end()
        await model.settled()
        guard case .end(_, "nobody home") = fake.current.commands.last else { return XCTFail("\(fake.current.commands)") }
        XCTAssertEqual(work.navigator.saved, "workflows record/s1")
    }

    func testDiscardingAsksFirst() async throws {
        let model = try await model()
        model.discard()
        await model.settled()
        XCTAssertEqual(fake.current.views["s1"]?.state, .inProgress)
        model.sheet = .discard
        model.discard()
        await model.settled()
        XCTAssertEqual(fake.current.views["s1"]?.state, .discarded)
    }

    func testANoteThatCannotBeKeptStaysToBeSeen() async throws {
        let model = try await model()
        fake.refuseNext(CompassError(code: .diskFull), of: "run")
        model.sheet = .note("Beware of the dog")
        model.saveNote()
        await model.settled()
        XCTAssertEqual(model.notice, Notice(words: .text(.failureDiskFull), failed: true))
        XCTAssertEqual(model.sheet, .note("Beware of the dog"))
        model.saveNote()
        await model.settled()
        try await eventually { model.notes.map(\.text) == ["Beware of the dog"] }
        XCTAssertNil(model.sheet)
    }

    func testAHalfTypedNoteIsKeptUntilItIsSaved() async throws {
        let model = try await model()
        model.openNote()
        XCTAssertEqual(model.sheet, .note(""))
        model.sheet = .note("Beware of")
        model.sheet = nil
        await model.settled()
        model.openNote()
        XCTAssertEqual(model.sheet, .note("Beware of"))

        // In another process, for all it knows.
        let later = try await self.model()
        later.openNote()
        XCTAssertEqual(later.sheet, .note("Beware of"))
        later.sheet = .note("Beware of the dog")
        later.saveNote()
        await later.settled()
        XCTAssertEqual(later.notes.map(\.text), ["Beware of the dog"])
        XCTAssertNil(fake.current.views["s1"]?.noteDraft)
        later.openNote()
        XCTAssertEqual(later.sheet, .note(""))
    }

    func testASessionThatIsNotHereAnyMoreIsSaidAndLeft() async throws {
        work.navigator.open(.session("gone"))
        let model = SessionModel("gone", work)
        try await eventually { model.notice?.words == .text(.failureNotFound) }
        model.back()
        await model.settled()
        XCTAssertEqual(work.navigator.top, .session("s1"))
    }

    func testWhatWasReadBeforeATapTakesNothingOfItBack() async throws {
        let model = try await model()
        // Sequences tell what was, and say no more than that something has changed.
        fake.change { $0.late["s1"] = $0.views["s1"] }
        for tap in 1...50 {
            model.field("parts", .option(tap % 2 == 1 ? "seal" : "valve"))
            await model.settled()
            fake.change { $0.late["s1"]?.startedAt += 1 }
            try await eventually { fake.current.commands.count == tap }
        }
        // Twenty-five times each.
        XCTAssertEqual(try item("parts", model).state, .provided(.choices(["seal", "valve"])))
    }

    func testAResponseIsUsed() async throws {
        let model = try await model()
        model.sheet = .reply(try XCTUnwrap(model.replies.first))
        model.useReply()
        await model.settled()
        guard case .useResponse(_, "dear") = fake.current.commands.last else { return XCTFail("\(fake.current.commands)") }
        XCTAssertEqual(model.notice?.words, .text(.noticeResponseUsed))
    }

    func testThePhoneSaysWhatItCouldNotDo() async throws {
        let place = FieldDefinition.fixture(key: "where", name: "Where", kind: .location(maxAccuracyM: nil))
        fake.change { $0.views["s1"]?.fields = [.fixture(definition: place)] }
        let model = try await model()
        model.field("where", .locating)
        XCTAssertEqual(try item("where", model).input, .place(nil, searching: true))
        model.field("where", .notLocated(denied: true))
        XCTAssertEqual(try item("where", model).problem, .text(.locationDenied))
        let here = Location(
            latitude: DecimalValue("52.5")!, longitude: DecimalValue("-0.10")!, accuracyM: DecimalValue("8"), capturedAt: fixtureTime)
        model.field("where", .located(here))
        await model.settled()
        XCTAssertNil(try item("where", model).problem)
        guard case .place(let shown?, false) = try item("where", model).input else { return XCTFail("no place") }
        XCTAssertEqual(try phrases()(shown), "52.5, -0.10, within 8 m")
    }
}
