import CompassCore
import CompassCoreTesting
import FieldStory
import Foundation
import XCTest

@testable import FieldSampleModels

/// What the settings offer to a person who helps a technician, with the real core.
@MainActor
final class SupportTests: XCTestCase {
    private static let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("support-\(UUID().uuidString)")
    private let transport = ScriptedTransport()

    private func ready(_ transport: ScriptedTransport? = nil) async throws -> StoryPhone {
        let phone = try await StoryPhone(folder, transport: transport ?? self.transport)
        try await phone.setUp(office: "https://office.example/hooks/t0p", secret: Self.secret)
        return phone
    }

    func testTheLastLetterIsTheLastOneOnFlash() async throws {
        let phone = try await ready()
        let session = try await phone.startPumpCheck()
        guard case .session(let key) = phone.navigator.top else { return XCTFail("no session is shown") }
        for round in 0..<40 {
            let text = "Mill Lane \(round), the back door"
            for index in text.indices {
                session.field("site", .typed(String(text[...index])))
                session.sheet = .note(String(text[...index]))
            }
            await session.settled()
            let kept = try await phone.compass.session(key)
            XCTAssertEqual(kept.fields.first?.draft, text)
            XCTAssertEqual(kept.noteDraft, text)
        }
        try await phone.compass.close()
    }

    func testSimulatedOfflineKeepsMessagesBackUntilItIsSwitchedOff() async throws {
        let phone = try await ready()
        // In the technician's hand.
        let hold = try await phone.compass.resume()
        await phone.work.networkChanged(reachable: true)
        let settings = try phone.settings(), strip = phone.screens.status
        settings.simulateOffline(true)
        await settings.settled()
        let session = try await phone.startPumpCheck()
        try await phone.workThrough(session)
        let record = try await phone.complete(session)
        try await eventually { strip.simulated && strip.sign == .noSignal && strip.words == .count(.statusNoSignalWaiting, 1) }

        // No matter what the phone says meanwhile, and who delivers.
        await phone.work.networkChanged(reachable: true, metered: true)
        let outbox = OutboxModel(phone.work)
        outbox.sendNow()
        await outbox.settled()
        XCTAssertEqual(outbox.notice?.words, .text(.noticeStillOffline))
        _ = await BackgroundJob.run(phone.compass)
        XCTAssertEqual(transport.requests.count, 0)
        XCTAssertEqual(record.actions.map(\.state), [.pending])

        let again = try phone.settings()
        try await eventually { again.offlineSimulated }
        again.simulateOffline(false)
        await again.settled()
        try await eventually { !strip.simulated && strip.sign == .waiting }
        outbox.sendNow()
        await outbox.settled()
        XCTAssertEqual(outbox.notice?.words, .count(.sentNow, 1))
        try await eventually { strip.sign == .allSent && record.actions.map(\.state) == [.sent] }
        XCTAssertEqual(transport.requests.count, 1)
        await hold.release()
        try await phone.compass.close()
    }

    func testWhoTapsSendNowGoesThroughPausesButNotThroughAPlayedLackOfNetwork() async throws {
        let fake = FakeCompass()
        let work = workplace(fake), outbox = OutboxModel(work)
        outbox.sendNow()
        await outbox.settled()
        XCTAssertEqual(fake.current.urgentFlushes, 1)
        try await work.network.simulateOffline(true, telling: fake)
        XCTAssertEqual(fake.current.connectivity, .offline)
        outbox.sendNow()
        await outbox.settled()
        XCTAssertEqual(fake.current.calls.filter { $0 == "flush" }.count, 2)
        XCTAssertEqual(fake.current.urgentFlushes, 1)
    }

    func testATestMessageSaysWhatTheReceiverMadeOfIt() async throws {
        let phone = try await ready(ScriptedTransport { number, _ in .answered(TransportResponse(status: number == 1 ? 202 : 401)) })
        let settings = try phone.settings()
        try await eventually { !settings.loading }
        settings.test("office")
        await settings.settled()
        XCTAssertEqual(settings.notice, Notice(words: .text(.noticeTestDelivered, .number("202"))))
        settings.test("office")
        await settings.settled()
        XCTAssertEqual(settings.notice, Notice(words: .text(.noticeTestRefused, .text(.reasonAuth)), failed: true))
        // It leaves no trace among the messages.
        let outbox = OutboxModel(phone.work)
        try await eventually { !outbox.loading }
        XCTAssertTrue(outbox.isEmpty)
        try await phone.compass.close()
    }

    func testAReceiverThatIsSlowToAnswerATestHoldsNothingElseUp() async throws {
        let answer = DispatchSemaphore(value: 0)
        let phone = try await ready(ScriptedTransport { _, _ in
            answer.wait()
            return .answered(TransportResponse(status: 202))
        })
        let settings = try phone.settings()
        try await eventually { !settings.loading }
        settings.test("office")
        settings.setIntegration(false)
        try await eventually { !settings.integrationEnabled }
        XCTAssertEqual(settings.testing, "office")
        answer.signal()
        await settings.settled()
        XCTAssertNil(settings.testing)
        try await phone.compass.close()
    }

    func testDiagnosticsHoldNoValueNoSecretAndNoPath() async throws {
        let phone = try await ready()
        let session = try await phone.startPumpCheck()
        session.sheet = .note("Beware of the dog")
        session.saveNote()
        try await phone.workThrough(session)
        _ = try await phone.complete(session)
        let settings = try phone.settings()
        settings.simulateOffline(true)
        settings.exportDiagnostics()
        await settings.settled()
        XCTAssertEqual(settings.notice?.words, .text(.noticeExported, .plain("diagnostics.txt")))
        let text = try String(contentsOf: try XCTUnwrap(settings.exported), encoding: .utf8)
        for said in ["network: offline, simulated", "1 completed", "1 pending", "endpoint office: enabled, 1 pending", "0 faults"] {
            XCTAssertTrue(text.contains(said), text)
        }
        for hidden in ["Mill Lane", "2.5", "As it should be", "dog", "t0p", "office.example", "whsec", "MDEy", "Jo"] {
            XCTAssertFalse(text.contains(hidden), hidden)
        }
        try await phone.compass.close()
    }

    func testABackupIsADatabaseWithTheSessionInIt() async throws {
        let phone = try await ready()
        let session = try await phone.startPumpCheck()
        try await phone.workThrough(session)
        _ = try await phone.complete(session)
        let settings = try phone.settings()
        // Twice: a copy takes the place of the one before it.
        for _ in 1...2 {
            settings.exportBackup()
            await settings.settled()
            XCTAssertEqual(settings.notice, Notice(words: .text(.noticeExported, .plain("compass-backup.db"))))
        }
        let copied = try XCTUnwrap(settings.exported)
        var options = CompassOptions(file: copied)
        options.delivery = .manual
        let copy = try await Compass.open(options)
        let sessions = try await copy.sessions().sessions
        XCTAssertEqual(sessions.map(\.workflow.key), [PumpCheck.key])
        let record = try await copy.record(try XCTUnwrap(sessions.first?.key))
        XCTAssertEqual(record.fields.first?.state, .provided(.text("Mill Lane")))
        try await copy.close()
        try await phone.compass.close()
    }

    func testABrokenFileShowsWhatIsWrongAndChangesNothing() async throws {
        let phone = try await ready()
        let settings = try phone.settings()
        let broken = PumpCheck.text.replacingOccurrences(of: "\"version\": 1", with: "\"version\": 2")
            .replacingOccurrences(of: "\"next\": \"leave\"", with: "\"next\": \"nowhere\"")
        settings.importWorkflow(Data(broken.utf8))
        await settings.settled()
        XCTAssertEqual(settings.notice, Notice(words: .text(.failureBadFile), failed: true))
        let findings = try settings.importFindings.map { try phrases()($0) }
        XCTAssertEqual(["`nowhere`", "`leave`"].map { name in findings.filter { $0.contains(name) }.count }, [1, 1], "\(findings)")
        settings.importWorkflow(Data("not a workflow".utf8))
        await settings.settled()
        XCTAssertEqual(settings.notice, Notice(words: .text(.failureBadFile), failed: true))
        let list = try phone.workflows()
        try await eventually { !list.loading }
        XCTAssertEqual(list.workflows.map(\.version), ["1"])
        XCTAssertTrue(list.workflows[0].startable)
        try await phone.compass.close()
    }

    func testAnIncompleteWorkflowIsListedWithItsFindingsAndCannotBeStarted() async throws {
        let phone = try await StoryPhone(folder, transport: transport)
        let unlinked = PumpCheck.text.replacingOccurrences(of: ", \"next\": \"leave\"", with: "")
        try await phone.setUp(workflow: Data(unlinked.utf8), office: "https://office.example/hooks", secret: nil)
        let list = try phone.workflows()
        try await eventually { !list.workflows.isEmpty }
        XCTAssertEqual(list.workflows[0].mark, .text(.labelIncomplete))
        XCTAssertEqual(list.workflows[0].findings.first, .text(.findingUnlinkedAnswer, .plain("Measure"), .plain("All in order")))
        list.start(PumpCheck.key)
        await list.settled()
        XCTAssertEqual(list.notice, Notice(words: .text(.failureNotStartable), failed: true))
        try await phone.compass.close()
    }

    func testAnEndpointThatTheCoreRefusesStaysAsItWasTyped() async throws {
        let phone = try await StoryPhone(folder, transport: transport)
        let settings = try phone.settings()
        settings.addEndpoint()
        settings.editing?.key = "office"
        settings.editing?.url = "http://office.example"
        settings.editing?.secret = Self.secret
        settings.saveEndpoint()
        await settings.settled()
        XCTAssertEqual(settings.notice, Notice(words: .text(.failureBadEndpoint), failed: true))
        XCTAssertEqual(settings.editing?.url, "http://office.example")
        XCTAssertEqual(settings.endpoints, [])
        XCTAssertFalse(phone.flash.has("office-secret"))
        try await phone.compass.close()
    }
}
