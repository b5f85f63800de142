import CompassCore
import CompassCoreTesting
import FieldStory
import Foundation
import XCTest

@testable import FieldSampleModels

/// Another database takes the place of the phone's, with the real core; the screens that are open go on with it.
@MainActor
final class BackupTests: XCTestCase {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("backup-\(UUID().uuidString)")
    private let transport = ScriptedTransport()

    private func ready() async throws -> (StoryPhone, SettingsModel) {
        let phone = try await StoryPhone(folder, transport: transport)
        try await phone.setUp(office: "https://office.example/hooks", secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
        return (phone, try phone.settings())
    }

    private func completed(_ phone: StoryPhone) async throws {
        let session = try await phone.startPumpCheck()
        try await phone.workThrough(session)
        _ = try await phone.complete(session)
    }

    private func sessions(_ phone: StoryPhone) async throws -> Int {
        try await phone.compass.sessions(SessionFilter(), page: nil, limit: 9).sessions.count
    }

    private func undelivered(_ model: SettingsModel) throws -> UndeliveredQuestion {
        guard case .undelivered(let question)? = model.question else { throw NotSo("it is asked whether messages are given up") }
        return question
    }

    func testABackupIsPutBackWhatWasSentSinceLeavesOnceMoreAndWhatWasNotIsAskedForFirst() async throws {
        let (phone, _) = try await ready()
        let strip = phone.screens.status, copy = folder.appendingPathComponent("copy.db")
        try await completed(phone)
        try await phone.compass.backup(to: copy)
        await phone.work.networkChanged(reachable: true)
        let first = try await phone.compass.sendNow()
        XCTAssertEqual(first.sent, 1)
        await phone.work.networkChanged(reachable: false)
        try await completed(phone)

        let settings = try phone.settings()
        settings.chooseBackup(copy)
        settings.confirm()
        await settings.settled()
        XCTAssertEqual(try undelivered(settings).lost, .count(.undelivered, 1))
        let before = try await sessions(phone)
        XCTAssertEqual(before, 2, "nothing has changed")
        settings.discard(reason: "The office has it on paper")
        settings.confirm()
        await settings.settled()
        XCTAssertEqual(settings.notice, Notice(words: .text(.noticePutBack)))

        let after = try await sessions(phone)
        XCTAssertEqual(after, 1)
        // The strip was open all the time, and the network is known still.
        try await eventually { strip.sign == .noSignal && strip.words == .count(.statusNoSignalWaiting, 1) }
        await phone.work.networkChanged(reachable: true)
        let again = try await phone.compass.sendNow()
        XCTAssertEqual(again.sent, 1)
        try await eventually { strip.sign == .allSent }
        XCTAssertEqual(transport.requests.count, 2)
        XCTAssertEqual(Set(transport.requests.map(\.body)).count, 1)
        try await phone.compass.close()
    }

    func testAFileThatIsNoBackupChangesNothing() async throws {
        let (phone, settings) = try await ready()
        let file = folder.appendingPathComponent("story.txt")
        try Data(String(repeating: "Once upon a time there was a pump. ", count: 200).utf8).write(to: file)
        settings.chooseBackup(file)
        settings.confirm()
        await settings.settled()
        XCTAssertEqual(settings.notice, Notice(words: .text(.failureNotOurs), failed: true))
        XCTAssertNil(settings.question)
        XCTAssertEqual(settings.endpoints.map(\.key), ["office"])
        let list = try phone.workflows()
        try await eventually { list.workflows.map(\.key) == [PumpCheck.key] }
        try await phone.compass.close()
    }

    func testEverythingIsErasedAndThePhoneBeginsAnew() async throws {
        let (phone, _) = try await ready()
        let strip = phone.screens.status
        await phone.work.networkChanged(reachable: false)
        try await completed(phone)
        try await completed(phone)
        let settings = try phone.settings()
        try await eventually { !settings.endpoints.isEmpty }
        settings.eraseEverything()
        settings.confirm()
        settings.confirm()
        await settings.settled()
        XCTAssertEqual(try undelivered(settings).lost, .count(.undelivered, 2))
        settings.discard(reason: "The phone is returned")
        settings.confirm()
        await settings.settled()
        XCTAssertEqual(settings.notice, Notice(words: .text(.noticeErased)))
        try await eventually { settings.endpoints.isEmpty && !settings.integrationEnabled && strip.words == .text(.statusNoSignal) }
        let left = try await sessions(phone)
        XCTAssertEqual(left, 0)
        XCTAssertFalse(phone.flash.has("office-secret"))
        XCTAssertNil(phone.work.actor)

        // As on the first day.
        try await phone.setUp(office: "https://office.example/hooks", secret: nil)
        try await completed(phone)
        await phone.work.networkChanged(reachable: true)
        let sent = try await phone.compass.sendNow()
        XCTAssertEqual(sent.sent, 1)
        try await phone.compass.close()
    }

    func testWhatIsFollowedGoesOnAlsoWhenItIsAskedAtTheMomentOfAClose() async throws {
        let (phone, settings) = try await ready()
        let list = try phone.workflows(), compass = phone.compass, database = phone.work.database
        // Each change asks again for what is followed.
        let asking = Task {
            while !Task.isCancelled { try? await compass.setIntegrationEnabled(true) }
        }
        for _ in 0..<30 { try await database.erase(discarding: nil) }
        asking.cancel()
        await asking.value
        XCTAssertEqual(settings.notice?.failed, false)
        try await phone.setUp(office: "https://office.example/hooks", secret: nil)
        try await eventually {
            settings.integrationEnabled && settings.endpoints.map(\.key) == ["office"] && list.workflows.map(\.key) == [PumpCheck.key]
        }
        try await phone.compass.close()
    }
}
