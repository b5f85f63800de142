import CompassCore
import CompassCoreTesting
import FieldSampleExamples
import Foundation
import XCTest

@testable import FieldSampleModels

@MainActor
final class ScreenTests: XCTestCase {
    private let fake = FakeCompass(.atWork)
    private lazy var database = FakeDatabase(fake)
    private let store = MemoryStore()
    private lazy var work = workplace(fake, database, store: store)

    /// The acts on this session, without the ids that are new each time.
    private var acts: [String] {
        fake.current.writes.map { write in
            switch write {
            case .start(let start): "start \(start.workflow)"
            case .run(let commands, _, _, _): commands.map { "\($0)".prefix { $0 != "(" } }.joined(separator: " ")
            case .saveDraft(let field, let text, _): "draft \(field): \(text)"
            case .send(let action, _, _, _): "send \(action)"
            case .abandon(let action, _, let actor, let reason, _): "abandon \(action) \(actor): \(reason)"
            default: "\(write)"
            }
        }
    }

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
        XCTAssertEqual(acts, ["start boiler-service"])
    }

    func testTheReviewSaysWhatWillBeSentAndWhatIsMissing() async throws {
        fake.change {
            $0.views["s1"]?.completionProblems = [.fixture(field: "serial", code: "required", visit: 1)]
            $0.views["s1"]?.wouldFire = [ActionPreview(key: "notify-office", name: "Tell the office", section: "done", endpoint: "office")]
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
        fake.change { $0.integrationEnabled = false }
        try await eventually { model.integrationOff }
        model.open(model.missing[0])
        await model.settled()
        XCTAssertEqual(work.navigator.top, .session("s1"))
    }

    func testCompletingLeadsToTheRecordAndNotBack() async throws {
        fake.change { $0.views["s1"]?.canComplete = true }
        work.navigator.open(.session("s1"))
        work.navigator.open(.review("s1"))
        let model = ReviewModel("s1", work)
        try await eventually { model.canComplete }
        model.complete()
        model.complete()
        await model.settled()
        XCTAssertEqual(acts, ["complete"])
        XCTAssertEqual(work.navigator.saved, "workflows record/s1")
    }

    func testTheReviewOfASessionThatIsOverLeadsToItsRecord() async throws {
        fake.change { $0.views["s1"]?.state = .completed }
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

    func testAnEditSaysWhyAndThatTheMessageIsOlder() async throws {
        let edit = FieldEditEntry(field: "serial", fieldName: "Serial number", from: .notProvided, to: .provided(.text("BX-1177")))
        for (status, delivered, words): (ActionStatus, UInt32?, String) in [
            (.sent, 1, "The office has an older version"), (.pending, nil, "This message has the values from before the edit"),
            (.failed, nil, "This message has the values from before the edit"),
        ] {
            fake.change {
                $0.records["s3"]?.actions = [.fixture(status: status, differsFromSent: true, deliveredRevision: delivered, canSendCorrected: true)]
                $0.records["s3"]?.timeline = [
                    TimelineItem(seq: 7, at: fixtureTime, utcOffset: 0, entry: .edited(fields: [edit], notes: [], reason: "Misread"))
                ]
            }
            let model = RecordModel("s3", work)
            try await eventually { model.now != nil }
            XCTAssertEqual(try model.actions[0].warnings.map { try phrases()($0) }, [words])
            XCTAssertTrue(model.actions[0].canSendCorrected)
            XCTAssertEqual(model.timeline.map(\.sign), [.edited, .edited])
            XCTAssertEqual(try phrases()(model.timeline[1].words), "Reason for the edit: Misread")
        }
    }

    func testValuesOfARecordAreEditedTogether() async throws {
        let model = RecordModel("s3", work)
        try await eventually { model.now != nil }
        model.openEdit()
        await model.settled()
        model.field("pressure", .typed("much"))
        model.saveEdit()
        await model.settled()
        XCTAssertEqual(acts, ["draft pressure: much"], "a value that cannot be read keeps all of it from being saved")
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
        XCTAssertEqual(fake.current.records["s3"]?.fields.map(\.draft), ["BX-1177", "2.", nil])
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
        XCTAssertEqual(fake.current.records["s3"]?.fields.map(\.draft), ["BX-1177", nil, nil])
        first.saveEdit()
        await first.settled()
        guard case .edit(_, let fields, let notes, _)? = fake.current.commands.last else { return XCTFail("\(acts)") }
        XCTAssertEqual(fields.map(\.field), ["pressure"], "the serial number is as it was")
        XCTAssertEqual(notes, [])
        XCTAssertEqual(fake.current.records["s3"]?.fields.map(\.draft), [nil, nil, nil])
        XCTAssertNil(first.editing)
    }

    func testAMessageThatIsGivenUpOnItsWayMayStillArrive() async throws {
        work.preferences.actor = "Ana"
        let model = RecordModel("s4", work)
        try await eventually { model.now != nil }
        for onItsWay in [false, true] {
            fake.change { $0.inFlight = onItsWay }
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
        XCTAssertEqual(acts, [])
        model.abandoning?.by = "Jo "
        model.abandoning?.reason = " "
        model.abandon()
        await model.settled()
        XCTAssertEqual(acts, [])
        model.abandoning?.reason = "wrong customer"
        model.abandon()
        await model.settled()
        XCTAssertEqual(acts, ["abandon notify-office Jo: wrong customer"])
        work.preferences.actor = "Ana"
        model.openAbandon("notify-office")
        XCTAssertEqual(model.abandoning?.asksName, false)
        XCTAssertEqual(model.abandoning?.by, "Ana")
        model.send("notify-office")
        model.send("notify-office")
        await model.settled()
        XCTAssertEqual(acts.dropFirst(), ["send notify-office"])
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
        try await eventually { model.sessions.count == 4 }
        model.open("s1")
        XCTAssertEqual(work.navigator.top, .session("s1"))
    }

    func testALongListIsPaged() async throws {
        fake.change { phone in
            let one = phone.sessions[1]
            phone.sessions = (0..<40).map {
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
        let drained = fake.current.flushReport
        fake.change { $0.flushReport = FlushReport(end: .offline, attempts: 0, sent: 0, retrying: 0, failed: 0, pending: 1) }
        model.sendNow()
        await model.settled()
        XCTAssertEqual(model.notice?.words, .text(.noticeStillOffline))
        fake.change {
            $0.flushReport = drained
            $0.outbox.removeAll { !$0.needsPerson }
            $0.outboxTotals.pending = 0
        }
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
        await work.network.changed(.offline, telling: fake)
        try await shows(.noSignal, "No signal: 1 saved, will send")
        fake.change { $0.outboxTotals.pending = 0 }
        try await shows(.noSignal, "No signal: everything is saved")
        await work.network.changed(.online(validated: nil, metered: false, network: 1), telling: fake)
        try await shows(.needsPerson, "1 needs you")
        fake.change { $0.outboxTotals = FakeState.empty.outboxTotals }
        try await shows(.allSent, "Everything is sent")
        try await work.network.simulateOffline(true, telling: fake)
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
            fake.change {
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
        let office = Endpoint.fixture(signing: .standardWebhooks(secret: "office-secret"))
        XCTAssertEqual(fake.current.writes, [.putEndpoint(office), .secretsChanged])
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
        XCTAssertEqual(fake.current.writes, [.setIntegrationEnabled(false), .setConnectivity(.offline)])
        XCTAssertTrue(fake.current.calls.contains("testDelivery"))
        let exported = try String(contentsOf: try XCTUnwrap(model.exported), encoding: .utf8)
        XCTAssertTrue(exported.contains("network: offline, simulated") && exported.contains("endpoint office: enabled, 1 pending"), exported)
        fake.refuseNext(CompassError(code: .invalidWorkflow), of: "importWorkflow")
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
        fake.change { $0 = .empty }
        let model = SettingsModel(work)
        let copy = work.exports.appendingPathComponent("chosen-backup.db")
        model.chooseBackup(try aBackup())
        XCTAssertEqual(model.question, .putBack(copy))
        XCTAssertEqual(try Data(contentsOf: copy), Data("a backup".utf8))
        model.dismissQuestion()
        await model.settled()
        XCTAssertNil(model.question)
        XCTAssertEqual(database.calls, [])
        XCTAssertFalse(FileManager.default.fileExists(atPath: copy.path))
        model.chooseBackup(try aBackup())
        model.confirm()
        await model.settled()
        XCTAssertEqual(database.calls, ["restore chosen-backup.db"])
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
        let lost = fake.current.outbox.count
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
        XCTAssertEqual(database.calls, ["restore chosen-backup.db"])
        model.discard(reason: "on paper ")
        model.confirm()
        model.confirm()
        await model.settled()
        XCTAssertEqual(database.calls, ["restore chosen-backup.db", "restore chosen-backup.db Jo: on paper"])
        XCTAssertEqual(model.notice, Notice(words: .text(.noticePutBack)))
    }

    func testEverythingIsErasedAfterTwoQuestionsWithTheSecretsTheFilesAndTheName() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
        let photos = folder.appendingPathComponent("photos")
        try FileManager.default.createDirectory(at: photos, withIntermediateDirectories: true)
        let work = Workplace(
            compass: fake, database: database, navigator: Navigator(store), preferences: store, vault: store, exports: folder, attachments: photos)
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
        XCTAssertEqual(database.calls, ["erase", "erase", "erase Mia: sold"])
        XCTAssertEqual(model.notice, Notice(words: .text(.noticeErased)))
        XCTAssertFalse(store.has("office-secret"))
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), [])
        XCTAssertNil(model.exported)
        XCTAssertEqual(store.load().actor, "")
        try await eventually { model.endpoints.isEmpty }
    }

    func testADamagedPhoneCannotTellHowManyMessagesWouldBeLostAndAFileThatIsNoBackupIsSaidToBeNone() async throws {
        let model = SettingsModel(work)
        database.failure = CompassError(code: .undelivered)
        model.chooseBackup(try aBackup())
        model.confirm()
        await model.settled()
        XCTAssertEqual(try undelivered(model).lost, .text(.undeliveredUnknown))
        model.dismissQuestion()
        database.failure = CompassError(code: .notADatabase)
        model.chooseBackup(try aBackup())
        model.confirm()
        await model.settled()
        XCTAssertNil(model.question)
        XCTAssertEqual(model.notice, Notice(words: .text(.failureNotOurs), failed: true))
    }
}
