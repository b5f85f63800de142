import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

@testable import FieldSampleModels

@MainActor
final class ScreenTests: XCTestCase {
    private let gateway = FakeGateway()
    private let store = MemoryStore()
    private lazy var work = workplace(gateway, store: store)

    func testTheListBeginsWithWhatToGoOnWithAndMarksWhatIsIncomplete() async throws {
        let model = WorkflowsModel(work)
        try await eventually { !model.loading && model.resume != nil }
        XCTAssertEqual(model.resume?.sectionName, "Inspection and combustion")
        XCTAssertNil(model.moreInProgress)
        XCTAssertEqual(model.workflows.map(\.startable), [true, false])
        XCTAssertEqual(model.workflows.map(\.mark), [nil, .text(.labelIncomplete)])
        XCTAssertEqual(try phrases()(model.workflows[1].findings[0]), "In “Arrival” the answer “Nobody home” leads nowhere yet")
        model.start("boiler-service")
        model.start("boiler-service")
        await model.settled()
        XCTAssertEqual(work.navigator.saved, "workflows session/s1")
        XCTAssertEqual(gateway.now.calls, ["start boiler-service"])
    }

    func testAMessageIsAddedInThreeTapsAndRemoved() async throws {
        let model = WorkflowModel("boiler-service", work)
        try await eventually { model.outline != nil }
        try await eventually {
            model.openAdd("open")
            return model.adding?.chosen == "office"
        }
        model.add()
        model.add()
        await model.settled()
        XCTAssertEqual(model.notice?.words, .text(.noticeActionAdded, .plain("3.1")))
        try await eventually { model.outline?.sections[2].actions.map(\.endpoint) == ["office"] }
        model.openRemove("notify-office", from: "done")
        XCTAssertEqual(model.removing.map { try? phrases()($0.words) }, "Remove “Tell the office”?")
        model.remove()
        await model.settled()
        try await eventually { model.outline?.sections[1].actions.isEmpty == true }
    }

    func testTheReviewSaysWhatWillBeSentAndWhatIsMissing() async throws {
        gateway.change {
            $0.sessions["s1"]?.completionProblems = [.fixture(field: "serial", code: "required", visit: 1)]
            $0.sessions["s1"]?.messages = [ActionPreview(key: "notify-office", name: "Tell the office", section: "done", endpoint: "office")]
        }
        work.navigator.open(.session("s1"))
        work.navigator.open(.review("s1"))
        let model = ReviewModel("s1", work)
        try await eventually { !model.loading }
        XCTAssertEqual(model.willSend, .count(.willSend, 1))
        XCTAssertEqual(model.messages.map(\.endpoint), ["office"])
        XCTAssertEqual(model.fields.map { try! phrases()($0.value) }, ["Not provided", "Not provided", "Not provided"])
        XCTAssertFalse(model.canComplete)
        try await eventually { model.missing.first?.visit == 1 }
        gateway.change { $0.integrationEnabled = false }
        try await eventually { model.integrationOff }
        model.open(model.missing[0])
        await model.settled()
        XCTAssertEqual(work.navigator.top, .session("s1"))
    }

    func testCompletingLeadsToTheRecordAndNotBack() async throws {
        gateway.change { $0.sessions["s1"]?.canComplete = true }
        work.navigator.open(.session("s1"))
        work.navigator.open(.review("s1"))
        let model = ReviewModel("s1", work)
        try await eventually { model.canComplete }
        model.complete()
        model.complete()
        await model.settled()
        XCTAssertEqual(gateway.now.calls, ["complete"])
        XCTAssertEqual(work.navigator.saved, "workflows record/s1")
    }

    func testTheReviewOfASessionThatIsOverLeadsToItsRecord() async throws {
        gateway.change { $0.sessions["s1"]?.phase = .completed }
        work.navigator.open(.session("s1"))
        work.navigator.open(.review("s1"))
        let model = ReviewModel("s1", work)
        try await eventually { work.navigator.saved == "workflows record/s1" }
        XCTAssertFalse(model.canComplete)
    }

    func testARecordShowsWhatHappenedAndWhatBecameOfItsMessages() async throws {
        let model = RecordModel("s3", work)
        try await eventually { model.now != nil }
        XCTAssertTrue(model.won)
        XCTAssertEqual(model.timeline.map(\.sign), [.started, .note, .answer, .won])
        XCTAssertEqual(try phrases()(model.timeline[3].words), "Won: completed in “Service complete”")
        XCTAssertTrue(try phrases()(model.timeline[0].at).hasSuffix(", by Jo"))
        XCTAssertEqual(model.totals.map(\.state), [.sent])
        let action = try XCTUnwrap(model.actions.first)
        XCTAssertNil(action.reason)
        XCTAssertEqual(action.attempts.map { try! phrases()($0) }, "2 tries")
        XCTAssertEqual(action.attemptLines.count, 2)
        XCTAssertTrue(try phrases()(action.attemptLines[1]).hasSuffix("The receiver’s name was not found"))
        model.openPreview("notify-office")
        await model.settled()
        XCTAssertEqual(model.preview?.body, "{\n  \"key\": \"s3\",\n  \"fields\": []\n}")
    }

    func testValuesOfARecordAreEditedTogether() async throws {
        let model = RecordModel("s3", work)
        try await eventually { model.now != nil }
        model.openEdit()
        await model.settled()
        model.field("pressure", .typed("much"))
        model.saveEdit()
        await model.settled()
        XCTAssertEqual(gateway.now.calls, ["draft"], "a value that cannot be read keeps all of it from being saved")
        XCTAssertNotNil(model.editing)
        model.dismissEdit()
        XCTAssertNil(model.editing)
    }

    func testWhatIsTypedIntoAnEditIsThereWhenItIsOpenedAgain() async throws {
        func opened() async throws -> RecordModel {
            let model = RecordModel("s3", work)
            try await eventually { model.now != nil }
            model.openEdit()
            await model.settled()
            return model
        }
        let first = try await opened()
        first.field("pressure", .typed("2."))
        first.field("serial", .typed("BX-1177"))
        await first.settled()
        XCTAssertEqual(gateway.now.drafts, ["s3/pressure": "2.", "s3/serial": "BX-1177"])
        // Left, or the process died: another model reads what there is.
        first.dismissEdit()
        first.openEdit()
        await first.settled()
        for model in [first, try await opened()] {
            guard case .line(let text, _, _)? = model.editing?.first(where: { $0.key == "pressure" })?.input else { return XCTFail("no line") }
            XCTAssertEqual(text, "2.")
        }
        first.field("pressure", .clear)
        await first.settled()
        XCTAssertEqual(gateway.now.drafts, ["s3/serial": "BX-1177"])
        first.saveEdit()
        await first.settled()
        XCTAssertEqual(gateway.now.calls.filter { $0 != "draft" }, ["edit pressure"], "the serial number is as it was")
        XCTAssertEqual(gateway.now.drafts, [:])
        XCTAssertNil(first.editing)
    }

    func testAMessageThatIsGivenUpOnItsWayMayStillArrive() async throws {
        work.preferences.actor = "Ana"
        let model = RecordModel("s4", work)
        try await eventually { model.now != nil }
        for onItsWay in [false, true] {
            gateway.change { $0.inFlight = onItsWay }
            model.openAbandon("notify-office")
            model.abandoning?.reason = "wrong customer"
            model.abandon()
            await model.settled()
            XCTAssertEqual(model.notice, onItsWay ? Notice(words: .text(.noticeMayArrive)) : nil)
        }
    }

    func testGivingUpNeedsANameAndAReason() async throws {
        let model = RecordModel("s4", work)
        try await eventually { model.now != nil }
        model.openAbandon("notify-office")
        XCTAssertEqual(model.abandoning?.asksName, true, "the settings know no name")
        model.abandoning?.reason = "wrong customer"
        model.abandon()
        await model.settled()
        XCTAssertEqual(gateway.now.calls, [])
        model.abandoning?.by = "Jo "
        model.abandoning?.reason = " "
        model.abandon()
        await model.settled()
        XCTAssertEqual(gateway.now.calls, [])
        model.abandoning?.reason = "wrong customer"
        model.abandon()
        await model.settled()
        XCTAssertEqual(gateway.now.calls, ["abandon notify-office Jo: wrong customer"])
        work.preferences.actor = "Ana"
        model.openAbandon("notify-office")
        XCTAssertEqual(model.abandoning?.asksName, false)
        XCTAssertEqual(model.abandoning?.by, "Ana")
        model.send("notify-office")
        model.send("notify-office")
        await model.settled()
        XCTAssertEqual(gateway.now.calls.last, "send notify-office")
        XCTAssertEqual(gateway.now.calls.count, 2)
    }

    func testTheListOfSessionsIsFilteredAndLeadsOn() async throws {
        let model = SessionsModel(work)
        try await eventually { model.sessions.count == 4 }
        model.filter = .failed
        try await eventually { model.sessions.map(\.session) == ["s4"] }
        model.filter = .won
        try await eventually { model.sessions.map(\.session) == ["s2", "s3"] }
        model.open("s3")
        XCTAssertEqual(work.navigator.top, .record("s3"))
        model.filter = .all
        model.text = "inspection "
        try await eventually { model.sessions.map(\.session) == ["s1"] }
        model.open("s1")
        XCTAssertEqual(work.navigator.top, .session("s1"))
    }

    func testALongListIsPaged() async throws {
        gateway.change { phone in
            let one = phone.items[1]
            phone.items = (0..<40).map {
                .fixture(key: "k\($0)", workflow: one.workflow, state: one.state, startedAt: one.startedAt, sectionName: one.sectionName)
            }
        }
        let model = SessionsModel(work)
        try await eventually { model.sessions.count == 30 }
        XCTAssertTrue(model.more)
        model.showMore()
        try await eventually { model.sessions.count == 40 }
        XCTAssertFalse(model.more)
    }

    func testTheOutboxPutsOnTopWhatNeedsAPerson() async throws {
        let model = OutboxModel(work)
        try await eventually { !model.loading && model.canSendNow }
        XCTAssertEqual(model.persons.map(\.session), ["s4"])
        XCTAssertEqual(model.lines.map(\.session), ["s2"])
        XCTAssertEqual(model.lines[0].reason, .text(.reasonOffline))
        XCTAssertEqual(model.needsPerson, .count(.outboxNeedsPerson, 1))
        gateway.change { $0.signal = .none }
        model.sendNow()
        await model.settled()
        XCTAssertEqual(model.notice?.words, .text(.noticeStillOffline))
        gateway.change { $0.signal = .online }
        model.sendNow()
        await model.settled()
        XCTAssertEqual(model.notice?.words, .count(.sentNow, 1))
        try await eventually { model.lines.isEmpty && !model.canSendNow }
    }

    func testTheStripSaysWhatIsSoWithASignWordsAndANumber() async throws {
        let model = StatusModel(work)
        func shows(_ sign: StatusSign, _ words: String) async throws {
            try await eventually { try model.sign == sign && phrases()(model.words) == words }
        }
        try await shows(.waiting, "1 saved, sending")
        XCTAssertEqual(model.attention, .count(.statusNeedsPerson, 1))
        gateway.change { $0.signal = .none }
        try await shows(.noSignal, "No signal: 1 saved, will send")
        gateway.change { $0.numbers = OutboxNumbers(failed: 1, needsPerson: 1) }
        try await shows(.noSignal, "No signal: everything is saved")
        gateway.change { $0.signal = .online }
        try await shows(.needsPerson, "1 needs you")
        gateway.change { $0.numbers = OutboxNumbers() }
        try await shows(.allSent, "Everything is sent")
        gateway.change { $0.simulated = true }
        try await eventually { model.simulated && model.sign == .noSignal }
        model.open()
        XCTAssertEqual(work.navigator.top, .outbox)
    }

    func testAnEndpointThatCannotDeliverSaysWhatCanBeDone() async throws {
        let model = SettingsModel(work)
        try await eventually { !model.loading }
        try store.put("whsec_abc", named: "office-secret")
        for (enabled, disabled, failing, problem) in [
            (true, nil, "proxy", Phrase.text(.reasonProxy)), (false, "endpoint_corrupt", nil, .text(.reasonEndpointCorrupt)),
            (false, "gone", "proxy", .text(.reasonGone)), (false, "by_app", nil, .text(.reasonEndpointDisabled)),
        ] as [(Bool, String?, String?, Phrase)] {
            gateway.change {
                $0.endpoints[0].enabled = enabled
                $0.endpoints[0].disabledReason = disabled
                $0.endpoints[0].failingReason = failing
            }
            try await eventually { model.endpoints[0].problem == problem }
        }
    }

    func testASecretIsWrittenAndNeverShown() async throws {
        let model = SettingsModel(work)
        try await eventually { !model.loading }
        XCTAssertEqual(model.endpoints[0].problem, .text(.reasonSecretMissing))
        XCTAssertNil(model.endpoints[0].signing)
        XCTAssertEqual(model.endpoints[0].origin, "https://office.example")
        model.openEndpoint("office")
        XCTAssertEqual(model.editing?.secretStored, false)
        XCTAssertEqual(model.editing?.secretHint, .text(.labelSecretHint))
        model.editing?.secret = "whsec_abc"
        XCTAssertFalse("\(model.editing!)".contains("whsec"))
        var dumped = ""
        dump(model.editing, to: &dumped)
        XCTAssertFalse(dumped.contains("whsec"))
        model.saveEndpoint()
        await model.settled()
        XCTAssertTrue(store.has("office-secret"))
        XCTAssertEqual(gateway.now.calls, ["putEndpoint office", "secretsChanged"])
        XCTAssertNil(model.endpoints[0].problem)
        XCTAssertEqual(model.endpoints[0].signing.map { try! phrases()($0) }, "Signed; the secret is on this phone")
        model.openEndpoint("office")
        XCTAssertEqual(model.editing?.secret, "")
        XCTAssertEqual(model.editing?.secretStored, true)
        XCTAssertEqual(model.editing?.secretHint, .text(.labelSecretStored))
        model.editing?.signed = false
        model.saveEndpoint()
        await model.settled()
        try await eventually { model.endpoints[0].signing == .text(.labelUnsigned) }
    }

    func testSettingsReachThePhone() async throws {
        let model = SettingsModel(work)
        try await eventually { !model.loading }
        work.preferences.actor = " Jo "
        XCTAssertEqual(store.load().actor, " Jo ")
        XCTAssertEqual(work.actor, "Jo")
        model.setIntegration(false)
        model.simulateOffline(true)
        model.test("office")
        model.exportDiagnostics()
        await model.settled()
        try await eventually { !model.integrationEnabled && model.offlineSimulated }
        // A test waits for the network, and for nothing else.
        XCTAssertEqual(gateway.now.calls.filter { $0 != "test office" }, ["integration false", "simulate true", "diagnostics"])
        XCTAssertTrue(gateway.now.calls.contains("test office"))
        XCTAssertEqual(try model.exported.map { try String(contentsOf: $0, encoding: .utf8) }, "fake\n")
        gateway.change { $0.workflows = [] }
        model.importWorkflow(Data())
        await model.settled()
        XCTAssertEqual(model.notice, Notice(words: .text(.failureBadFile), failed: true))
    }

    private func aBackup() throws -> URL {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).db")
        try Data("a backup".utf8).write(to: file)
        return file
    }

    private func undelivered(_ model: SettingsModel) throws -> UndeliveredQuestion {
        guard case .undelivered(let question)? = model.question else { throw Impatient() }
        return question
    }

    func testABackupIsPutBackAfterAQuestionAndTheCopyThatWasChosenGoes() async throws {
        gateway.change { $0 = FakePhone() }
        let model = SettingsModel(work)
        let copy = work.exports.appendingPathComponent("chosen-backup.db")
        model.chooseBackup(try aBackup())
        XCTAssertEqual(model.question, .putBack(copy))
        XCTAssertEqual(try Data(contentsOf: copy), Data("a backup".utf8))
        model.dismissQuestion()
        await model.settled()
        XCTAssertNil(model.question)
        XCTAssertEqual(gateway.now.calls, [])
        XCTAssertFalse(FileManager.default.fileExists(atPath: copy.path))
        model.chooseBackup(try aBackup())
        model.confirm()
        await model.settled()
        XCTAssertEqual(gateway.now.calls, ["putBack chosen-backup.db"])
        XCTAssertNil(model.question)
        XCTAssertFalse(model.replacing)
        XCTAssertEqual(model.notice, Notice(words: .text(.noticePutBack)))
        XCTAssertFalse(FileManager.default.fileExists(atPath: copy.path))
        // The settings go on with what is there now.
        try await eventually { model.endpoints.map(\.key) == ["office"] }
        model.chooseBackup(copy.appendingPathComponent("nowhere"))
        XCTAssertEqual(model.notice, Notice(words: .text(.failureUnreadable), failed: true))
        XCTAssertNil(model.question)
    }

    func testMessagesThatWouldBeLostAreCountedAndGivenUpByNameAndWithAReasonOrNotAtAll() async throws {
        let lost = gateway.now.outbox.count
        XCTAssertGreaterThan(lost, 0)
        work.preferences.actor = "Jo"
        let model = SettingsModel(work)
        model.chooseBackup(try aBackup())
        model.confirm()
        await model.settled()
        XCTAssertEqual(try undelivered(model).lost, .count(.undelivered, lost))
        XCTAssertFalse(try undelivered(model).asksName)
        model.discard(reason: " ")
        model.confirm()
        await model.settled()
        XCTAssertEqual(gateway.now.calls, ["putBack chosen-backup.db"])
        model.discard(reason: "on paper ")
        model.confirm()
        model.confirm()
        await model.settled()
        XCTAssertEqual(gateway.now.calls, ["putBack chosen-backup.db", "putBack chosen-backup.db Jo: on paper"])
        XCTAssertEqual(model.notice, Notice(words: .text(.noticePutBack)))
    }

    func testEverythingIsErasedAfterTwoQuestionsWithTheSecretsTheFilesAndTheName() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
        let photos = folder.appendingPathComponent("photos")
        try FileManager.default.createDirectory(at: photos, withIntermediateDirectories: true)
        let work = Workplace(
            gateway: gateway, navigator: Navigator(store), preferences: store, vault: store, exports: folder, attachments: photos)
        try store.put("x", named: "office-secret")
        let model = SettingsModel(work)
        try await eventually { !model.loading }
        model.exportDiagnostics()
        await model.settled()
        // Left at every question.
        model.eraseEverything()
        model.confirm()
        model.dismissQuestion()
        model.eraseEverything()
        model.confirm()
        XCTAssertEqual(model.question, .erase(sure: true))
        model.confirm()
        await model.settled()
        XCTAssertTrue(try undelivered(model).asksName)
        model.discard(reason: "sold")
        XCTAssertFalse(try undelivered(model).canDiscard)
        model.dismissQuestion()
        XCTAssertTrue(store.has("office-secret"))
        XCTAssertTrue(FileManager.default.fileExists(atPath: photos.path))

        model.eraseEverything()
        model.confirm()
        model.confirm()
        await model.settled()
        model.discard(reason: "sold", by: "Mia")
        work.preferences.actor = "Jo"
        model.confirm()
        await model.settled()
        XCTAssertEqual(gateway.now.calls, ["diagnostics", "erase", "erase", "erase Mia: sold"])
        XCTAssertEqual(model.notice, Notice(words: .text(.noticeErased)))
        XCTAssertFalse(store.has("office-secret"))
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), [])
        XCTAssertNil(model.exported)
        XCTAssertEqual(store.load().actor, "")
        try await eventually { model.endpoints.isEmpty }
    }

    func testADamagedPhoneCannotTellHowManyMessagesWouldBeLostAndAFileThatIsNoBackupIsSaidToBeNone() async throws {
        let model = SettingsModel(work)
        gateway.change { $0.failure = GatewayFailure(code: "undelivered") }
        model.chooseBackup(try aBackup())
        model.confirm()
        await model.settled()
        XCTAssertEqual(try undelivered(model).lost, .text(.undeliveredUnknown))
        model.dismissQuestion()
        gateway.change { $0.failure = GatewayFailure(code: "not_a_database") }
        model.chooseBackup(try aBackup())
        model.confirm()
        await model.settled()
        XCTAssertNil(model.question)
        XCTAssertEqual(model.notice, Notice(words: .text(.failureNotOurs), failed: true))
    }
}
