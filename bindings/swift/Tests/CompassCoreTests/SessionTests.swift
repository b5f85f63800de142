import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

final class SessionTests: XCTestCase {
    func testAFieldIsSetClearedAndMarkedByItsKey() async throws {
        let compass = try await Compass.ready()
        let key = try await compass.start("pump-check").view.key
        func site(_ outcome: CommandOutcome) -> FieldState? { outcome.view.fields.first { $0.definition.key == "site" }?.state }
        var states = [site(try await compass.setField("site", to: .text("Mill Lane"), in: key))]
        states.append(site(try await compass.setField("site", to: .clear, in: key)))
        states.append(site(try await compass.setFields([FieldChange(field: "site", change: .set(.text("Mill Road")))], in: key)))
        XCTAssertEqual(states, [.provided(.text("Mill Lane")), .notProvided, .provided(.text("Mill Road"))])
        try await compass.close()
    }

    func testASessionIsWorkedThroughAndItsWebhookDelivered() async throws {
        let transport = ScriptedTransport()
        let compass = try await Compass.ready(transport: transport, secrets: MemorySecretStore(["office": secret]))
        let begun = try await compass.begun()
        XCTAssertEqual(begun.problems.map(\.field), ["site"])
        _ = try await compass.setFields(["site": .text("Mill Lane"), "pressure": .decimal(DecimalValue("182.50")!)], in: begun.key, actor: "ada")
        let end = try await compass.answer("on", visit: begun.visit, in: begun.key, actor: "ada")
        XCTAssertEqual(end.applied, .yes)
        XCTAssertTrue(end.view.canComplete)
        let again = try await compass.answer("on", visit: begun.visit, in: begun.key)
        XCTAssertEqual(again.applied, .stale)
        let done = try await compass.complete(begun.key, visit: end.view.visit)
        XCTAssertEqual(done.view.won, true)

        let report = try await compass.flush(deadline: .seconds(10))
        XCTAssertEqual(report.sent, 1)
        XCTAssertEqual(report.end, .drained)
        let request = try XCTUnwrap(transport.requests.first)
        XCTAssertEqual(request.header("content-type"), "application/json; charset=utf-8")
        XCTAssertNotNil(request.header("webhook-signature"))
        XCTAssertTrue(String(decoding: request.body, as: UTF8.self).contains(#""value":182.50"#))
        let record = try await compass.record(begun.key)
        XCTAssertEqual(record.actions.map(\.status), [.sent])
        XCTAssertEqual(record.actions.first?.deliveries.first?.id, request.header("webhook-id"))
        let body = try await compass.deliveryBody(request.header("webhook-id")!)
        XCTAssertEqual(body.map { Data($0.utf8) }, request.body)
        try await compass.close()
    }

    func testCallsThatTakeTheViewNeedNoNumbers() async throws {
        let compass = try await Compass.ready(transport: ScriptedTransport(), secrets: MemorySecretStore(["office": secret]))
        let begun = try await compass.begun()
        _ = try await compass.setFields(["site": .text("Mill Lane")], in: begun.key)
        let cleared = try await compass.clearField("site", in: begun.key).view
        XCTAssertEqual(cleared.problems.map(\.field), ["site"])
        _ = try await compass.setFields(["site": .text("Mill Lane")], in: begun.key)
        let end = try await compass.answer(begun, "on").view
        let back = try await compass.back(end).view
        XCTAssertEqual(back.section.key, begun.section.key)
        do {
            _ = try await compass.back(back)
            XCTFail("there is nothing before the first")
        } catch let error as CompassError {
            XCTAssertEqual(error.code.rawValue, "already_there")
        }
        let noted = try await compass.note("dog in the yard", in: begun.key).view
        let done = try await compass.complete(try await compass.answer(noted, "on").view).view
        XCTAssertEqual(done.state, .completed)
        let given = try await compass.abandonSession(begun.key, actor: "ada", reason: "by phone")
        XCTAssertEqual(given.record.actions.map(\.status), [.failed])
        try await compass.close()
    }

    func testValuesComeBackAsTheyWereEntered() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        let given: [String: FieldValue] = [
            "site": .text("Ærø 🚰"),
            "pressure": .decimal(DecimalValue("-0.10")!),
            "day": .date(LocalDate(year: 2028, month: 2, day: 29)!),
            "hour": .time(LocalTime("18:31:40")!),
            "seen": .dateTime(OffsetDateTime("2026-11-23T19:31:40+05:30")!),
            "count": .integer(9_007_199_254_740_991),
            "place": .location(
                Location(
                    latitude: DecimalValue("52.520080")!, longitude: DecimalValue("-0.10")!, accuracyM: nil,
                    capturedAt: Date(timeIntervalSince1970: 1_795_000_000.125))),
        ]
        let after = try await compass.setFields(given, in: view.key).view
        for field in after.fields {
            XCTAssertEqual(field.state, given[field.definition.key].map(FieldState.provided), field.definition.key)
        }
        try await compass.close()
    }

    func testDraftsNotesResponsesAndGoingBack() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        try await compass.saveDraft("site", text: "Mill L", in: view.key)
        let drafted = try await compass.session(view.key)
        XCTAssertEqual(drafted.fields.first?.draft, "Mill L")
        try await compass.saveNoteDraft("Beware of", in: view.key)
        let half = try await compass.session(view.key)
        XCTAssertEqual(half.noteDraft, "Beware of")
        _ = try await compass.note("Beware of the dog", in: view.key, commandId: fresh())
        _ = try await compass.useResponse("dear", in: view.key, commandId: fresh())
        _ = try await compass.setFields(["site": .text("Mill Lane")], in: view.key)
        let gone = try await compass.answer("off", visit: view.visit, in: view.key).view
        let back = try await compass.back(to: view.visit, visit: gone.visit, in: view.key).view
        XCTAssertEqual(back.section.key, "arrive")
        XCTAssertEqual(back.visit, 3)
        XCTAssertEqual(back.notes.map(\.text), ["Beware of the dog"])
        XCTAssertNil(back.noteDraft)
        let ended = try await compass.end(view.key, reason: "nobody home", commandId: fresh()).view
        XCTAssertEqual(ended.state, .ended)
        let record = try await compass.record(view.key)
        XCTAssertEqual(record.endReason, "nobody home")
        try await compass.close()
    }

    func testARedactedValueIsGoneAndTheRecordSaysWhoDidItAndWhy() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        _ = try await compass.setFields(["site": .text("Mill Lane")], in: view.key)
        let outcome = try await compass.redact(
            .field(key: "site"), in: view.key, actor: "Mia", reason: "Not ours to know", pending: .abandon, bodies: .forget,
            commandId: fresh())
        XCTAssertEqual(outcome.applied, .yes)
        XCTAssertEqual(outcome.erased, .now)
        XCTAssertTrue(outcome.bodies.isEmpty && outcome.unusedFiles.isEmpty && !outcome.inFlight)
        let site = try XCTUnwrap(outcome.record.fields.first { $0.definition.key == "site" })
        XCTAssertEqual(site.state, .redacted)
        let line = try XCTUnwrap(outcome.record.timeline.last)
        XCTAssertEqual(line.actor, "Mia")
        XCTAssertEqual(
            line.entry, .redacted(target: .field(key: "site"), fieldName: site.definition.name, reason: "Not ours to know"))
        try await compass.close()
    }

    func testWhatWasDeliveredIsSentOnceMoreWithTheSameIdAndBytes() async throws {
        let transport = ScriptedTransport()
        let compass = try await Compass.ready(transport: transport)
        let key = try await compass.completed().key
        _ = try await compass.flush(deadline: .seconds(10))
        let action = try await compass.replay("report", in: key, actor: "kim").record.actions[0]
        XCTAssertEqual([action.deliveries[0].state, action.replays[0].state], [.sent, .pending])
        let waits = try await compass.replaySession(key)
        XCTAssertEqual(waits.applied, .stale)
        _ = try await compass.flush(deadline: .seconds(10))
        XCTAssertEqual(transport.requests.count, 2)
        XCTAssertEqual(transport.requests[0].body, transport.requests[1].body)
        let report = try await compass.replaySent(ReplayFilter(endpoint: "office"))
        XCTAssertEqual(report, ReplayReport(replayed: 1))
        await assertThrows(.unknownEndpoint, try await compass.replaySent(ReplayFilter(endpoint: "nowhere")))
        try await compass.close()
    }

    func testWhatWasSentIsCorrectedAndBothMessagesStayInTheRecord() async throws {
        let transport = ScriptedTransport()
        let compass = try await Compass.ready(transport: transport)
        let key = try await compass.completed().key
        _ = try await compass.flush(deadline: .seconds(10))
        let sent = try await compass.record(key).actions[0]
        XCTAssertEqual([sent.differsFromSent, sent.canSendCorrected], [false, false])

        let site = FieldChange(field: "site", change: .set(.text("Mill Road")))
        _ = try await compass.edit(key, fields: [site], commandId: fresh(), reason: "Misread")
        let edited = try await compass.record(key)
        guard case .edited(_, _, let reason)? = edited.timeline.last?.entry else { return XCTFail("\(edited.timeline)") }
        XCTAssertEqual(reason, "Misread")
        let differing = edited.actions[0]
        XCTAssertEqual([differing.differsFromSent, differing.canSendCorrected], [true, true])
        XCTAssertEqual(differing.deliveredRevision, 1)
        let list = try await compass.sessions()
        XCTAssertEqual(list.sessions.map(\.actionsDiffering), [1])

        let waiting = try await compass.sendCorrected("report", in: key, commandId: fresh()).record.actions[0]
        XCTAssertEqual(waiting.deliveries.map(\.state), [.pending, .sent])
        XCTAssertEqual([waiting.differsFromSent, waiting.canSendCorrected], [false, false])
        _ = try await compass.flush(deadline: .seconds(10))
        let corrected = try await compass.record(key).actions[0]
        XCTAssertEqual(corrected.deliveries.map(\.revision), [2, 1])
        XCTAssertEqual(corrected.deliveries.map(\.state), [.sent, .sent])
        XCTAssertEqual(corrected.deliveredRevision, 2)
        let requests = transport.requests
        XCTAssertEqual(requests.map { $0.header("compass-revision") }, ["1", "2"])
        XCTAssertEqual(requests.map { $0.header("compass-replaces") }, [nil, sent.deliveries[0].id])
        try await compass.close()
    }

    func testMessagesAreNumberedAndOnAnotherDeviceInANewSeries() async throws {
        let transport = ScriptedTransport()
        var options = try CompassOptions.testing(transport: transport)
        for device in ["one", "one", "two"] {
            options.device = device
            let compass = try await Compass.open(options)
            _ = try await compass.importWorkflow(pumpCheck)
            try await compass.setIntegrationEnabled(true)
            try await compass.putEndpoint(officeAt("http://127.0.0.1:9/hooks", signing: .none))
            _ = try await compass.completed()
            _ = try await compass.flush(deadline: .seconds(10))
            try await compass.close()
        }
        let sequences = transport.requests.map { ($0.header("compass-sequence") ?? "").split(separator: "-").map(String.init) }
        XCTAssertEqual(sequences.map(\.last), ["1", "2", "1"])
        XCTAssertEqual(sequences[0].first, sequences[1].first)
        XCTAssertNotEqual(sequences[0].first, sequences[2].first)
    }

    func testTheWorkflowOfASessionIsTheVersionItBeganWith() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        var document = WorkflowDocument(pumpCheck)
        try document.removeAction("report", from: "done")
        _ = try await compass.importWorkflow(document.bytes)
        let (begunWith, current) = try await (compass.workflow(view.workflow), compass.workflow(view.workflow.key))
        XCTAssertEqual([begunWith, current].map { $0.sections.flatMap(\.actions).count }, [1, 0])
        XCTAssertEqual([begunWith, current].map(\.localRevision), [0, 1])
        try await compass.close()
    }

    func testTheSameCommandTwiceIsDoneOnce() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        let command = fresh()
        let first = try await compass.note("once", in: view.key, commandId: command)
        let second = try await compass.note("once", in: view.key, commandId: command)
        XCTAssertEqual([first.applied, second.applied], [.yes, .repeated])
        XCTAssertEqual(second.view.notes.count, 1)
        try await compass.close()
    }

    func testWorkflowDocumentsAreLintedAndChangedWithoutADatabase() throws {
        var document = WorkflowDocument(pumpCheck)
        XCTAssertEqual(try document.lint(), [])
        XCTAssertEqual(try document.lint(endpoints: []).map(\.severity), [.warning])
        let second = ActionDefinition(key: "invoice", name: "Invoice", integration: .webhooks, kind: .sendMessage, endpoint: "office")
        XCTAssertEqual(try document.addAction(second, to: "done"), [])
        XCTAssertNotEqual(document.bytes, pumpCheck)
        try document.removeAction("invoice", from: "done")
        XCTAssertThrowsError(try document.removeAction("invoice", from: "done")) { error in
            XCTAssertEqual((error as? CompassError)?.code, "authoring")
        }
    }

    func testTypedTextIsReadByTheTypeOfItsField() async throws {
        let compass = try await Compass.ready()
        let workflow = try await compass.workflow("pump-check")
        let pressure = try XCTUnwrap(workflow.fields.first { $0.key == "pressure" })
        XCTAssertEqual(try pressure.parse("182.50"), .provided(.decimal(DecimalValue("182.50")!)))
        XCTAssertEqual(try pressure.parse(""), .empty)
        XCTAssertThrowsError(try pressure.parse("a lot")) { error in
            let error = error as? CompassError
            XCTAssertEqual(error?.code, .fieldProblems)
            XCTAssertEqual(error?.problems.map(\.field), ["pressure"])
            XCTAssertFalse("\(error!)".contains("a lot"))
        }
        try await compass.close()
    }

    func testListsTotalsAndUpkeep() async throws {
        let clock = ManualClock()
        let compass = try await Compass.ready(clock: clock)
        let done = try await compass.completed()
        _ = try await compass.begun()
        let page = try await compass.sessions(limit: 1)
        XCTAssertEqual(page.sessions.count, 1)
        let rest = try await compass.sessions(page: page.next)
        XCTAssertEqual(rest.sessions.map(\.key), [done.key])
        var won = SessionFilter()
        won.won = true
        let found = try await compass.sessions(won)
        XCTAssertEqual(found.sessions.map(\.key), [done.key])
        let totals = try await compass.totals()
        XCTAssertEqual(totals.sessions.completed, 1)
        XCTAssertEqual(totals.sessions.inProgress, 1)
        _ = try await compass.flush(deadline: .seconds(10))
        clock.advance(.seconds(86_400 * 30))
        let purged = try await compass.purge(olderThan: .seconds(86_400))
        XCTAssertEqual(purged.purged, 1)
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("copy-\(UUID().uuidString).db")
        try await compass.backup(to: copy)
        XCTAssertTrue(FileManager.default.fileExists(atPath: copy.path))
        let check = try await compass.check()
        XCTAssertEqual(check.faults, [])
        try await compass.close()
    }
}
