import CompassCore
import CompassCoreTesting
import FieldStory
import Foundation
import XCTest

@testable import FieldSampleModels

/// What becomes of messages that a receiver refuses, and where sessions are found again, with the real core.
@MainActor
final class OutcomeTests: XCTestCase {
    /// What the office answers.
    private let status = Watched<UInt16>(422)
    private lazy var transport = ScriptedTransport { [status] _, _ in .answered(TransportResponse(status: status.value)) }

    private func ready() async throws -> StoryPhone {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("outcome-\(UUID().uuidString)")
        let phone = try await StoryPhone(folder, transport: transport)
        try await phone.setUp(office: "https://office.example/hooks", secret: nil)
        return phone
    }

    /// A record whose message the office has refused.
    private func refused(_ phone: StoryPhone) async throws -> RecordModel {
        let session = try await phone.startPumpCheck()
        try await phone.workThrough(session)
        let record = try await phone.complete(session)
        _ = try await phone.compass.sendNow()
        try await eventually { record.actions.map(\.state) == [.failed] }
        return record
    }

    func testAMessageIsGivenUpByNameAndWithAReason() async throws {
        let phone = try await ready()
        let record = try await refused(phone), strip = phone.screens.status
        try await eventually { strip.sign == .needsPerson && strip.words == .count(.statusNeedsPerson, 1) }
        XCTAssertTrue(record.actions[0].canAbandon)
        record.openAbandon("report")
        record.abandon()
        await record.settled()
        XCTAssertNotNil(record.abandoning, "a reason is needed")
        record.abandoning?.reason = "Told them on the phone"
        record.abandon()
        await record.settled()
        try await eventually { record.actions[0].reason == .text(.reasonAbandoned) && !record.actions[0].canAbandon }
        let line = try XCTUnwrap(record.timeline.last)
        XCTAssertEqual(line.sign, .abandoned)
        XCTAssertEqual(try phrases()(line.words), "Report: given up (Told them on the phone)")
        XCTAssertTrue(try phrases()(line.at).hasSuffix(", by Jo"))
        try await eventually { strip.sign == .allSent }
        try await phone.compass.close()
    }

    func testARefusedMessageIsCorrectedOnItsRecordAndSentAgain() async throws {
        let phone = try await ready()
        let record = try await refused(phone)
        XCTAssertEqual(record.actions[0].reason, .text(.reasonRejected))
        XCTAssertTrue(record.actions[0].canSend && !record.actions[0].canSendCorrected)
        record.send("report", corrected: true)
        await record.settled()
        XCTAssertEqual(record.notice, Notice(words: .text(.failureNothingCorrected), failed: true))

        record.openEdit()
        await record.settled()
        record.field("pressure", .typed("7"))
        record.saveEdit()
        await record.settled()
        XCTAssertEqual(record.editing?.first { $0.key == "pressure" }?.problem, .text(.problemTooLarge, .number("4.0")))
        record.field("pressure", .typed("3.75"))
        record.saveEdit()
        await record.settled()
        XCTAssertNil(record.editing)
        try await eventually { record.fields.contains { $0.value == .number("3.75") } }
        XCTAssertTrue(record.actions[0].canSendCorrected)
        XCTAssertTrue(record.actions[0].warnings.contains(.text(.actionDiffersUndelivered)))

        status.change { $0 = 200 }
        record.send("report", corrected: true)
        await record.settled()
        try await eventually { record.actions.map(\.state) == [.pending] }
        _ = try await phone.compass.sendNow()
        try await eventually { record.actions.map(\.state) == [.sent] }
        let bodies = transport.requests.map { String(decoding: $0.body, as: UTF8.self) }
        XCTAssertEqual(bodies.map { $0.contains(#""value":3.75"#) }, [false, true])
        XCTAssertTrue(record.timeline.contains { $0.words == .text(.timelineSendCorrected, .plain("Report")) })
        try await phone.compass.close()
    }

    func testAMessageThatWasSentIsCorrectedAndSoIsOneThatWaits() async throws {
        status.change { $0 = 200 }
        let phone = try await ready()
        let session = try await phone.startPumpCheck()
        try await phone.workThrough(session)
        let record = try await phone.complete(session)
        _ = try await phone.compass.sendNow()
        try await eventually { record.actions.map(\.state) == [.sent] }
        XCTAssertFalse(record.actions[0].canSendCorrected)
        let sessions = SessionsModel(phone.work)
        func edit(_ pressure: String) async throws {
            record.openEdit()
            await record.settled()
            record.field("pressure", .typed(pressure))
            record.saveEdit()
            await record.settled()
            try await eventually { record.actions[0].canSendCorrected }
            XCTAssertEqual(record.actions[0].warnings, [.text(.actionDiffers)])
            try await eventually { sessions.sessions.map(\.changed) == [true] }
        }
        for (pressure, before) in [("3.75", ActionStatus.sent), ("3.5", .pending)] {
            try await edit(pressure)
            XCTAssertEqual(record.actions[0].state, before)
            record.send("report", corrected: true)
            await record.settled()
            try await eventually { record.actions[0].state == .pending && !record.actions[0].canSendCorrected }
        }
        _ = try await phone.compass.sendNow()
        try await eventually { record.actions.map(\.state) == [.sent] }
        XCTAssertEqual(transport.requests.map { $0.header("compass-revision") }, ["1", "3"], "the one that waited is replaced")
        XCTAssertEqual(record.actions[0].warnings, [])
        try await eventually { sessions.sessions.map(\.changed) == [false] }
        let versions = try record.actions[0].messages.map { try phrases()($0.words) }
        XCTAssertEqual(versions.map { $0.components(separatedBy: ",")[0] }, ["Version 1", "Version 2 (correction)", "Version 3 (correction)"])
        XCTAssertTrue(versions[1].hasSuffix("replaced before it was sent"), versions[1])
        try await phone.compass.close()
    }

    func testAMessageThatFailsMoreThanThreeTimesIsLocked() async throws {
        let phone = try await ready()
        let record = try await refused(phone)
        for failed in 2...4 {
            XCTAssertTrue(record.actions[0].canSend)
            record.send("report")
            await record.settled()
            _ = try await phone.compass.sendNow()
            try await eventually { record.actions[0].warnings.contains(.count(.failedSends, failed)) }
        }
        try await eventually { record.actions[0].warnings.contains(.text(.actionLocked)) }
        XCTAssertFalse(record.actions[0].canSend || record.actions[0].canSendCorrected)
        record.send("report")
        await record.settled()
        XCTAssertEqual(record.notice, Notice(words: .text(.failureNotAllowed), failed: true))
        XCTAssertEqual(transport.requests.count, 4)
        try await phone.compass.close()
    }

    func testSessionsAreFoundByTextByWhatBecameOfThemAndBeyondAPage() async throws {
        let phone = try await ready()
        for number in 1...32 {
            let session = try await phone.compass.start(PumpCheck.key, actor: "Jo").view
            if number == 32 { continue }
            if number == 31 { _ = try await phone.compass.note("Under the old mill", in: session.key, actor: "Jo") }
            _ = try await phone.compass.end(session.key, reason: "Nobody home", actor: "Jo")
        }
        let list = SessionsModel(phone.work)
        try await eventually { list.sessions.count == 30 && list.more }
        list.showMore()
        try await eventually { list.sessions.count == 32 && !list.more }
        XCTAssertEqual(Set(list.sessions.map(\.session)).count, 32)
        list.filter = .inProgress
        try await eventually { list.sessions.map(\.inProgress) == [true] }
        list.filter = .ended
        try await eventually { list.sessions.count == 30 && list.more && list.sessions.allSatisfy { $0.status == .text(.sessionEnded) } }
        list.text = "old mill"
        try await eventually { list.sessions.count == 1 && !list.more }
        list.open(list.sessions[0].session)
        XCTAssertEqual(phone.navigator.top, .record(list.sessions[0].session))
        list.text = "nowhere"
        try await eventually { list.sessions.isEmpty }
        list.filter = .won
        list.text = ""
        try await eventually { !list.loading && list.sessions.isEmpty }
        try await phone.compass.close()
    }

    func testEveryExampleOfTheRepositoryCanBeWalkedOnTheScreen() async throws {
        let phone = try await ready()
        for name in ["boiler-service", "customer-visit", "meter-exchange", "site-safety-inspection"] {
            let file = Catalog.repository.appendingPathComponent("examples/workflows/\(name).json")
            let imported = try await phone.compass.importWorkflow(try Data(contentsOf: file))
            XCTAssertTrue(imported.workflow.startable, name)
            let started = try await phone.compass.start(imported.workflow.workflow.key).view
            let session = SessionModel(started.key, phone.work)
            try await eventually { !session.loading && !session.answers.isEmpty && session.atLeastLeft > 0 }
        }
        try await phone.compass.close()
    }
}
