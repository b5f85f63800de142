import CompassCore
import CompassCoreTesting
import FieldSampleExamples
import Foundation
import XCTest

@testable import FieldSampleModels

/// The messages of a record: their order, sending them once more, and why a value was edited.
@MainActor
final class RecordTests: XCTestCase {
    private let fake = FakeCompass(.atWork)
    private lazy var work = workplace(fake)

    private func opened() async throws -> RecordModel {
        let model = RecordModel("s3", work)
        try await eventually { model.now != nil }
        return model
    }

    private func message(_ revision: UInt32, _ state: DeliveryState, reason: String? = nil, replay: UInt32 = 0) -> Delivery {
        var message = Delivery.fixture(revision: revision, state: state, reason: reason, sentAt: state == .sent ? fixtureTime : nil)
        message.replay = replay
        return message
    }

    private func show(_ deliveries: [Delivery], replays: [Delivery] = [], status: ActionStatus = .sent) {
        fake.change {
            $0.records["s3"]?.actions[0].status = status
            $0.records["s3"]?.actions[0].deliveries = deliveries
            $0.records["s3"]?.actions[0].replays = replays
        }
    }

    private var replayed: [Bool] {
        fake.current.writes.compactMap { write -> Bool? in if case .replaySession = write { true } else { nil } }
    }

    func testTheVersionsOfAMessageAreInOrderAndEachThatWasSentAgainSaysSoBelowIt() async throws {
        // As the core lists them: the newest first.
        show(
            [message(3, .pending), message(2, .sent), message(1, .superseded, reason: "superseded")],
            replays: [message(2, .pending, replay: 2), message(2, .sent, replay: 1)], status: .pending)
        let lines = try await opened().actions[0].messages
        let now = Phrase.moment(fixtureTime)
        XCTAssertEqual(
            lines.map(\.words),
            [
                .text(.versionFirst, .number("1"), .text(.versionReplaced)), .text(.versionCorrection, .number("2"), .text(.versionSent, now)),
                .text(.replaySent, now), .text(.replayWaits, now), .text(.versionCorrection, .number("3"), .text(.versionWaits, now)),
            ])
        XCTAssertEqual(lines.map(\.isReplay), [false, false, true, true, false])
        XCTAssertEqual(Set(lines.map(\.id)).count, lines.count)
        XCTAssertTrue(try phrases()(lines[1].words).hasPrefix("Version 2 (correction), sent "))
    }

    func testAVersionThatFailedSaysWhyAndOneThatWasNotSentAgainToo() async throws {
        show([message(2, .failed, reason: "rejected"), message(1, .sent)], replays: [message(1, .failed, reason: "abandoned", replay: 1)])
        let lines = try await opened().actions[0].messages.map { try! phrases()($0.words) }
        XCTAssertEqual(lines[1], "Not sent again: Given up by a person")
        XCTAssertEqual(lines[2], "Version 2 (correction), failed: The receiver refused the message")
    }

    func testOfASingleMessageTheActionSaysWhenItWasSentAndOfSeveralTheirList() async throws {
        show([message(1, .sent)])
        let one = try await opened().actions[0]
        XCTAssertEqual(one.messages, [])
        XCTAssertEqual(one.detail, .text(.actionSentAt, .moment(fixtureTime)))
        show([message(2, .sent), message(1, .sent)])
        let several = try await opened().actions[0]
        XCTAssertEqual(several.messages.count, 2)
        XCTAssertNil(several.detail)
    }

    func testWhatIsNoLongerOnThePhoneIsNotSentAgainAndTheRecordSaysSo() async throws {
        // The fake has no rules: it sends nothing again, as a core whose messages are gone.
        let model = try await opened()
        XCTAssertTrue(model.canReplay)
        model.replay()
        await model.settled()
        XCTAssertEqual(replayed, [], "nothing was asked")
        model.openReplay()
        XCTAssertEqual(model.menu, .replay)
        model.replay()
        model.replay()
        XCTAssertNil(model.menu)
        await model.settled()
        XCTAssertEqual(replayed, [true], "a second tap was meant for the same")
        XCTAssertEqual(model.notice, Notice(words: .count(.cannotSendAgain, 1), failed: true))
        XCTAssertFalse(model.working)
    }

    func testWhatAnotherScreenSentAgainMeanwhileIsNotSentTwice() async throws {
        let model = try await opened()
        model.openReplay()
        fake.change { $0.records["s3"]?.actions[0].canReplay = false }
        model.replay()
        await model.settled()
        XCTAssertEqual(model.notice, Notice(words: .text(.noticeNothingToSend)))
    }

    func testWhereNothingWasDeliveredNothingCanBeSentAgain() async throws {
        let model = RecordModel("s4", work)
        try await eventually { model.now != nil }
        model.menu = .choices
        model.openReplay()
        XCTAssertFalse(model.canReplay)
        XCTAssertEqual(model.menu, .choices)
    }

    func testARefusalIsSaidAndTheRecordGoesOn() async throws {
        let model = try await opened()
        fake.refuseNext(CompassError(code: .diskFull), of: "replaySession")
        model.openReplay()
        model.replay()
        await model.settled()
        XCTAssertEqual(model.notice, Notice(words: .text(.failureDiskFull), failed: true))
        XCTAssertFalse(model.working)
    }

    func testAnEditMaySayWhy() async throws {
        for (value, typed, kept) in [("1.75", " Misread ", "Misread"), ("1.80", " ", nil), ("1.85", "", nil)] as [(String, String, String?)] {
            let model = try await opened()
            model.openEdit()
            await model.settled()
            XCTAssertEqual(model.editReason, "", "each edit has its own")
            model.field("pressure", .typed(value))
            model.editReason = typed
            model.saveEdit()
            await model.settled()
            guard case .edit(_, _, _, let reason)? = fake.current.commands.last else { return XCTFail("no edit") }
            XCTAssertEqual(reason, kept)
        }
    }

    func testAReasonAloneIsNoEdit() async throws {
        let model = try await opened()
        model.openEdit()
        await model.settled()
        model.editReason = "Misread"
        model.saveEdit()
        await model.settled()
        XCTAssertEqual(fake.current.commands, [])
        XCTAssertNil(model.editing)
    }

    func testARowSaysThatASessionWasChangedSinceItsMessagesWereMade() async throws {
        fake.change { $0.sessions[2].actionsDiffering = 1 }
        let model = SessionsModel(work)
        try await eventually { model.sessions.count == 4 }
        XCTAssertEqual(model.sessions.filter(\.changed).map(\.session), ["s3"])
    }
}
