import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// The handle for tests of an app.
final class FakeTests: XCTestCase {
    private let key = SessionView.fixture().key

    /// A fake that shows a session with one missing field.
    private func shown() -> FakeCompass {
        let fake = FakeCompass()
        let field = FieldView.fixture(definition: .fixture(required: true))
        fake.change { $0.views[key] = .fixture(fields: [field], problems: [.fixture()]) }
        return fake
    }

    func testOneCallIsRefusedAndTheSequencesGoOn() async throws {
        let fake = shown()
        let handle: any CompassHandle = fake
        var updates = handle.observeSession(key).makeAsyncIterator()
        let first = try await updates.next()
        XCTAssertEqual(first?.problems.map(\.field), ["site"])
        fake.refuseNext(CompassError(code: .fieldProblems, problems: [.fixture()]), of: "run")
        try await handle.saveDraft("site", text: "Mill", in: key)
        let drafted = try await updates.next()
        XCTAssertEqual(drafted?.fields.first?.draft, "Mill")
        do {
            _ = try await handle.answer(.fixture(), "on")
            XCTFail("nothing was refused")
        } catch let error as CompassError {
            XCTAssertEqual(error.code, .fieldProblems)
            XCTAssertEqual(error.problems.map(\.field), ["site"])
        }
        let next = SessionView.fixture(visit: 2, section: .fixture(key: "done", isEnd: true))
        fake.change { $0.answers["on"] = next }
        let moved = try await handle.answer(.fixture(), "on").view
        XCTAssertEqual(moved, next)
        let second = try await updates.next()
        XCTAssertEqual(second, next)
        fake.refuseNext(CompassError(code: .diskFull))
        fake.refuseNext(CompassError(code: .locked), of: "totals")
        // A query is not a call that writes.
        _ = try await handle.session(key)
        await assertThrows(.locked, try await handle.totals())
        await assertThrows(.diskFull, try await handle.note("dog in the yard", in: key))
        _ = try await handle.totals()
        _ = try await handle.note("dog in the yard", in: key)
    }

    func testACommandIsRefusedByItsName() async throws {
        let fake = shown()
        let handle: any CompassHandle = fake
        fake.refuseNext(CompassError(code: .fieldProblems), of: "answer")
        fake.refuseNext(CompassError(code: .diskFull), of: "setFields")
        await assertThrows(.diskFull, try await handle.setField("site", to: .text("Mill Lane"), in: key))
        _ = try await handle.setField("site", to: .text("Mill Lane"), in: key)
        await assertThrows(.fieldProblems, try await handle.answer(.fixture(), "on"))
        _ = try await handle.answer(.fixture(), "on")
        fake.onRun = { _, _ in CommandOutcome(applied: .stale, view: .fixture()) }
        fake.refuseNext(CompassError(code: .locked), of: "note")
        await assertThrows(.locked, try await handle.note("dog in the yard", in: key))
        _ = try await handle.note("dog in the yard", in: key)
    }

    /// Another name ends the process, as a refusal that never happens would be a test that checks nothing.
    func testWhatMayBeRefusedAreTheCallsAndTheCommands() throws {
        let file = Stage.repository.appendingPathComponent("bindings/swift/Sources/CompassCore/CompassHandle.swift")
        let calls = try String(contentsOf: file, encoding: .utf8).components(separatedBy: " func ").dropFirst()
            .map { String($0.prefix { $0.isLetter }) }.filter { !$0.hasPrefix("observe") }
        let commands = ["setFields", "answer", "back", "useResponse", "note", "complete", "end", "discard", "edit"]
        XCTAssertEqual(FakeCompass.callsAndCommands, Set(calls + commands))
    }

    func testAFakeKeepsThatItsDatabaseWasReplaced() async throws {
        let fake = FakeCompass()
        let handle: any CompassHandle = fake
        let copy = URL(fileURLWithPath: "/copy.db")
        let discard = DiscardUndelivered(actor: "Mia", reason: "logged out")
        try await handle.restore(from: copy)
        try await handle.erase(discardUndelivered: discard)
        let file = try await handle.whileClosed { $0.lastPathComponent }
        XCTAssertEqual(file, "compass.db")
        XCTAssertEqual(
            fake.current.writes, [.restore(from: copy, discardUndelivered: nil), .erase(discardUndelivered: discard), .whileClosed])
    }

    func testFixturesSayWhatTheCoreSays() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        let missing = try XCTUnwrap(view.problems.first)
        XCTAssertEqual(Problem.fixture().code, missing.code)
        XCTAssertEqual(Problem.fixture().message, missing.message)
        let tested = try await compass.testDelivery("office")
        XCTAssertEqual(TestDelivery.fixture().outcome, tested.outcome)
        let done = try await compass.completed()
        _ = try await compass.flush()
        let record = try await compass.record(done.key)
        let attempt = try XCTUnwrap(record.actions.first?.deliveries.first?.lastAttempts.first)
        XCTAssertEqual(Attempt.fixture(at: attempt.at, durationMs: attempt.durationMs, status: attempt.status), attempt)
        let line = try XCTUnwrap(record.timeline.first)
        XCTAssertEqual(TimelineItem.fixture(seq: line.seq, at: line.at), line)
        _ = try await compass.note("Dog in the yard", in: done.key)
        let note = try await compass.record(done.key).notes.first
        XCTAssertEqual(note?.text, Note.fixture().text)
        try await compass.close()
    }

    func testTheFakeSaysWhichSessionItNeeds() async throws {
        do {
            _ = try await FakeCompass().start("lift-check")
            XCTFail("a session was started")
        } catch let error as CompassError {
            XCTAssertEqual(error.code, .unknownWorkflow)
            XCTAssertTrue(error.detail.contains("lift-check") && error.detail.contains("`views`"), error.detail)
        }
    }

    func testCallsThatWriteAreKeptWithTheirArguments() async throws {
        let fake = shown()
        let handle: any CompassHandle = fake
        fake.change { $0.records[key] = .fixture(actions: [.fixture()]) }
        try await handle.saveNoteDraft("dog", in: key)
        _ = try await handle.start("visit", commandId: "one")
        _ = try await handle.send("report", in: key, actor: "Mia", commandId: "two")
        _ = try await handle.sendCorrected("report", in: key, commandId: "three")
        _ = try await handle.abandon("report", in: key, actor: "Mia", reason: "by phone", commandId: "four")
        _ = try await handle.sendFailedAgain()
        _ = try await handle.replay("report", in: key, actor: "Mia", commandId: "five")
        fake.refuseNext(CompassError(code: .diskFull), of: "replaySession")
        await assertThrows(.diskFull, try await handle.replaySession(key, commandId: "six"))
        _ = try await handle.replaySent(ReplayFilter(endpoint: "office"))
        fake.refuseNext(CompassError(code: .notInProgress))
        try? await handle.saveDraft("site", text: "Mill", in: key)
        let start = Start(commandId: "one", workflow: "visit", version: nil, actor: nil, prefill: [])
        XCTAssertEqual(fake.current.writes, [
            .saveNoteDraft("dog", session: key), .start(start), .send("report", session: key, actor: "Mia", commandId: "two"),
            .sendCorrected("report", session: key, actor: nil, commandId: "three"),
            .abandon("report", session: key, actor: "Mia", reason: "by phone", commandId: "four"), .sendFailedAgain(actor: nil),
            .replay("report", session: key, actor: "Mia", commandId: "five"), .replaySession(key, actor: nil, commandId: "six"),
            .replaySent(ReplayFilter(endpoint: "office"), actor: nil, page: nil), .saveDraft("site", text: "Mill", session: key),
        ])
        XCTAssertEqual(
            fake.current.calls,
            [
                "saveNoteDraft", "start", "send", "sendCorrected", "abandon", "sendFailedAgain", "replay", "replaySession", "replaySent",
                "saveDraft",
            ])
    }

    func testTheViewMovesAsFarAsThatNeedsNoRules() async throws {
        let handle: any CompassHandle = shown()
        try await handle.saveDraft("site", text: "Mill", in: key)
        let set = try await handle.setFields(["site": .text("Mill Lane")], in: key).view
        XCTAssertEqual(set.fields.map(\.state), [.provided(.text("Mill Lane"))])
        XCTAssertNil(set.fields[0].draft)
        XCTAssertEqual(set.problems, [])
        let marked = try await handle.markNotApplicable("site", in: key).view
        XCTAssertEqual(marked.fields.map(\.state), [.notApplicable])
        let cleared = try await handle.clearField("site", in: key).view
        XCTAssertEqual(cleared.fields.map(\.state), [.notProvided])
        try await handle.saveNoteDraft("dog", in: key)
        let half = try await handle.session(key)
        XCTAssertEqual(half.noteDraft, "dog")
        let noted = try await handle.note("dog in the yard", in: key, actor: "Mia").view
        XCTAssertEqual(noted.notes.map(\.text), ["dog in the yard"])
        XCTAssertNil(noted.noteDraft)
        let ends: [(Command, SessionState)] = [
            (.complete(visit: 1), .completed), (.discard, .discarded), (.end(commandId: "e", reason: "r"), .ended),
        ]
        for (act, state) in ends {
            let after = try await shown().run([act], in: key).view
            XCTAssertEqual(after.state, state)
            XCTAssertNotNil(after.finishedAt)
        }
    }

    /// A member is changed in a copy, as of every value.
    func testAMemberOfTheModelIsChangedInPlace() {
        let shown = SessionView.fixture(fields: [.fixture()])
        var moved = shown
        moved.visit += 1
        moved.fields[0].draft = "Mill"
        XCTAssertEqual([shown.visit, moved.visit], [1, 2])
        XCTAssertEqual([shown.fields[0].draft, moved.fields[0].draft], [nil, "Mill"])
    }

    func testListsAreNarrowedByTheirFilterAndSayThatThereIsMore() async throws {
        let fake = FakeCompass()
        fake.change { contents in
            contents.sessions = [
                .fixture(key: "one", actor: "Mia"), .fixture(key: "two", state: .completed, won: true, actionsFailed: 1),
                .fixture(key: "three", workflow: .fixture(key: "other"), state: .completed, won: false, startedAt: fixtureTime - 60, actionsPending: 2),
                .fixture(key: "gone", state: .discarded),
            ]
            contents.outbox = [
                .fixture(session: "two", delivery: .fixture(state: .failed)), .fixture(session: "three", delivery: .fixture(endpoint: "desk")),
                .fixture(session: "one", delivery: .fixture(state: .sent)),
            ]
        }
        func keys(_ change: (inout SessionFilter) -> Void) async throws -> [String] {
            var filter = SessionFilter()
            change(&filter)
            return try await fake.sessions(filter).sessions.map(\.key)
        }
        let found = try await [
            keys { _ in }, keys { $0.states = [.inProgress] }, keys { $0.won = true }, keys { $0.actionStatus = .failed },
            keys { $0.workflow = "other" }, keys { $0.actor = "Mia" }, keys { $0.startedBefore = fixtureTime }, keys { $0.states = [.discarded] },
        ]
        XCTAssertEqual(found, [["one", "two", "three"], ["one"], ["two"], ["two"], ["three"], ["one"], ["three"], ["gone"]])
        let (first, all) = try await (fake.sessions(limit: 2), fake.sessions(limit: 3))
        XCTAssertEqual([first.next == nil, all.next == nil], [false, true])
        let (unsent, desk, sent) = try await (
            fake.outbox(), fake.outbox(OutboxFilter(endpoint: "desk")), fake.outbox(OutboxFilter(states: [.sent])))
        XCTAssertEqual([unsent, desk, sent].map { $0.items.map(\.session) }, [["two", "three"], ["three"], ["one"]])
        let one = try await fake.outbox(limit: 1)
        XCTAssertNotNil(one.next)
    }

    func testARecordIsEditedWithItsHalfTypedText() async throws {
        let fake = shown()
        let note = Note(seq: 1, at: fixtureTime, actor: nil, text: "dog", edited: false)
        fake.change { $0.records[key] = .fixture(fields: [.fixture()], notes: [note], actions: [.fixture()]) }
        try await fake.saveDraft("site", text: "Mill", in: key)
        XCTAssertEqual(fake.current.records[key]?.fields.map(\.draft), ["Mill"])
        _ = try await fake.edit(
            key, fields: [FieldChange(field: "site", change: .set(.text("Mill Lane")))], notes: [NoteChange(note: 1, text: "no dog")])
        let record = try await fake.record(key)
        XCTAssertEqual(record.fields.map(\.state), [.provided(.text("Mill Lane"))])
        XCTAssertEqual(record.fields.map(\.draft), [nil])
        XCTAssertEqual(record.notes.map(\.text), ["no dog"])
        fake.change { $0.inFlight = true }
        fake.change { $0.late[key] = .fixture(visit: 7) }
        var told = fake.observeSession(key).makeAsyncIterator()
        let (late, now) = try await (told.next(), fake.session(key))
        XCTAssertEqual([late?.visit, now.visit], [7, 1])
        let abandoned = try await fake.abandon("report", in: key, actor: "Mia", reason: "by phone")
        XCTAssertTrue(abandoned.inFlight)
    }

    func testASessionThatWasDeletedIsRefusedAsTheCoreDoesIt() async throws {
        let fake = shown()
        fake.change { $0.records[self.key] = .fixture(key: self.key) }
        var shownViews = fake.observeSession(key).makeAsyncIterator()
        _ = try await shownViews.next()
        _ = try await fake.delete(key)
        for (session, code) in [(key, CompassError.Code.deletedSession), ("another", .unknownSession)] {
            do {
                _ = try await fake.record(session)
                XCTFail("there is none")
            } catch let error as CompassError {
                XCTAssertEqual(error.code, code)
            }
        }
        do {
            _ = try await shownViews.next()
            XCTFail("the sequence goes on")
        } catch let error as CompassError {
            XCTAssertEqual(error.code, .deletedSession)
        }
    }

    /// What the core refuses, with the same code and place.
    func testWhatTheFakeDoesNotHaveIsRefusedAsTheCoreDoesIt() async throws {
        typealias Call = @Sendable (any CompassHandle) async throws -> Void
        let (version, session) = (WorkflowVersion(version: 1, localRevision: 0), key)
        let calls: [(CompassError.Code, String?, [Call])] = [
            (.unknownWorkflow, "lift", [
                { _ = try await $0.workflow("lift") }, { _ = try await $0.workflowDocument("lift") },
                { try await $0.retireWorkflow("lift", version: version) }, { try await $0.forgetWorkflow("lift", version: version) },
            ]),
            (.unknownEndpoint, "shed", [
                { _ = try await $0.testDelivery("shed") }, { try await $0.archiveEndpoint("shed") },
                { try await $0.setEndpointEnabled("shed", enabled: false) }, { _ = try await $0.replaySent(ReplayFilter(endpoint: "shed")) },
                { _ = try await $0.sendNotFired(NotFiredFilter(endpoint: "shed")) },
            ]),
            (.unknownSession, nil, [
                { _ = try await $0.delete(session) }, { _ = try await $0.preview("report", in: session) }, { try await $0.saveDraft("site", text: "M", in: session) },
                { try await $0.saveNoteDraft("M", in: session) }, { _ = try await $0.setField("site", to: .text("M"), in: session) },
            ]),
            (.unknownDelivery, nil, [{ _ = try await $0.deliveryBody("msg_abcdefghijklmnopqrstuvwxyz") }]),
        ]
        let (fake, compass) = (FakeCompass(), try await Compass.ready())
        for (code, place, refused) in calls {
            for (number, call) in refused.enumerated() {
                for handle: any CompassHandle in [compass, fake] {
                    do {
                        try await call(handle)
                        XCTFail("\(code.rawValue), \(number): \(type(of: handle)) refuses nothing")
                    } catch let error as CompassError {
                        XCTAssertEqual([error.code.rawValue, error.place], [code.rawValue, place], "\(number) of \(type(of: handle))")
                    }
                }
            }
        }
        try await compass.close()
        XCTAssertEqual(fake.current.commands, [])
    }

    func testTheFakeHasWhatItsListsName() async throws {
        let fake = FakeCompass()
        let version = WorkflowVersion(version: 1, localRevision: 0)
        fake.change { contents in
            contents.views[self.key] = .fixture()
            contents.workflows = [.fixture()]
            contents.records[self.key] = .fixture(
                actions: [.fixture(endpoint: "desk", deliveries: [.fixture(id: "msg_b", endpoint: "desk")])])
            contents.bodies["msg_c"] = "{}"
        }
        let workflow = try await fake.workflow("visit")
        XCTAssertEqual([workflow.name, "\(workflow.sections.count)"], ["Visit", "0"])
        try await fake.retireWorkflow("visit", version: version)
        XCTAssertEqual(fake.current.workflows.map(\.retiredAt), [fixtureTime])
        try await fake.forgetWorkflow("visit", version: version)
        await assertThrows(.unknownWorkflow, try await fake.workflow("visit"))
        // Not registered, but of a record.
        let (report, sent) = try await (
            fake.replaySent(ReplayFilter(endpoint: "desk")), fake.sendNotFired(NotFiredFilter(endpoint: "desk")))
        XCTAssertEqual([report.replayed, sent], [0, 0])
        await assertThrows(.unknownAction, try await fake.preview("order", in: key))
        let bodies = try await [fake.deliveryBody("msg_b"), fake.deliveryBody("msg_c")]
        XCTAssertEqual(bodies, [nil, "{}"])
    }

    func testAClosedFakeIsClosedAndSequencesEnd() async throws {
        let fake = shown()
        var updates = fake.observeSession(key).makeAsyncIterator()
        _ = try await updates.next()
        try await fake.close()
        try await fake.close()
        let (last, late) = (try await updates.next(), try await fake.observeTotals().first { _ in true })
        XCTAssertNil(last)
        XCTAssertNil(late)
        await assertThrows(.closed, try await fake.session(key))
        await assertThrows(.closed, try await fake.saveDraft("site", text: "Mill", in: key))
        XCTAssertEqual(fake.current.calls, ["session", "close"])
    }

    func testARefusedCommandIsNotOneOfTheCommands() async throws {
        let fake = shown()
        fake.refuseNext(CompassError(code: .fieldProblems), of: "answer")
        await assertThrows(.fieldProblems, try await fake.answer(.fixture(), "on"))
        _ = try await fake.run([.discard], in: key)
        XCTAssertEqual(fake.current.commands, [.discard])
        XCTAssertEqual(fake.current.writes.count, 2)
        fake.onRun = { _, _ in throw CompassError(code: .notInProgress) }
        await assertThrows(.notInProgress, try await fake.answer(.fixture(), "on"))
        fake.onRun = { _, _ in CommandOutcome(applied: .stale, view: .fixture()) }
        _ = try await fake.answer(.fixture(), "on")
        XCTAssertEqual(fake.current.commands, [.discard, .answer(visit: 1, answer: "on")])
    }

    func testATaskThatWasCancelledBeforeMakesNoCall() async throws {
        let fake = shown()
        let key = key
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            try await fake.saveDraft("site", text: "Mill", in: key)
        }
        task.cancel()
        let result = await task.result
        XCTAssertThrowsError(try result.get()) { XCTAssertTrue($0 is CancellationError) }
        XCTAssertEqual(fake.current.writes, [])
    }

    func testImportsPreviewsTotalsAndEndpointsAreFaked() async throws {
        let fake = FakeCompass()
        let handle: any CompassHandle = fake
        var workflows = handle.observeWorkflows().makeAsyncIterator()
        _ = try await workflows.next()
        let imported = try await handle.importWorkflow(pumpCheck)
        XCTAssertEqual(imported.workflow.workflow.name, "Pump check")
        let listed = try await workflows.next()
        XCTAssertEqual(listed?.map(\.workflow.key), ["pump-check"])
        let again = try await handle.importWorkflow(pumpCheck)
        XCTAssertEqual([imported.imported, again.imported], [true, false])
        let document = try await handle.workflowDocument("pump-check")
        XCTAssertEqual(document, pumpCheck)
        let workflow = try await handle.workflow("pump-check")
        XCTAssertEqual(workflow.key, "pump-check")
        fake.change { contents in
            contents.views[self.key] = .fixture()
            contents.previews["report"] = .fixture(body: #"{"site":"Mill Lane"}"#)
        }
        let preview = try await handle.preview("report", in: key)
        XCTAssertEqual(preview.body, #"{"site":"Mill Lane"}"#)
        fake.change { $0.testDelivery = .fixture(delivered: false, status: 410, outcome: "gone") }
        try await handle.putEndpoint(.fixture())
        let test = try await handle.testDelivery("office")
        XCTAssertEqual(test.outcome, "gone")
        let (totals, purged, by) = try await (
            handle.totals(), handle.purge(olderThan: .seconds(1)), handle.purgeAllBefore(fixtureTime, actor: "Mia"))
        XCTAssertEqual([totals.sessions.completed, purged.purged, by.purged], [0, 0, 0])
        try await handle.setEndpointEnabled("office", enabled: false)
        // The app's own decision stays.
        try await handle.putEndpoint(.fixture())
        let endpoints = try await handle.endpoints()
        XCTAssertEqual(endpoints.map(\.enabled), [false])
        XCTAssertEqual(endpoints.map(\.disabledReason), ["by_app"])
    }

    /// The type that an app injects: it has the same default arguments as `Compass`.
    func testTheProtocolHasTheSameDefaultArguments() async throws {
        let fake = shown()
        let handle: any CompassHandle = fake
        fake.change { contents in
            contents.sessions = (1...60).map { .fixture(key: "session-\($0)") }
            contents.records[key] = .fixture()
            contents.workflows = [.fixture()]
        }
        let (sessions, outbox, report) = try await (handle.sessions(), handle.outbox(), handle.flush())
        XCTAssertEqual([sessions.sessions.count, outbox.items.count, Int(report.sent)], [50, 0, 0])
        var list = handle.observeSessions().makeAsyncIterator()
        let first = try await list.next()
        XCTAssertEqual(first?.sessions.count, 50)
        var waiting = handle.observeOutbox().makeAsyncIterator()
        let none = try await waiting.next()
        XCTAssertEqual(none?.items, [])
        let workflow = try await handle.workflow("visit")
        XCTAssertEqual(workflow.key, "visit")
        try await handle.retireWorkflow("visit", version: WorkflowVersion(version: 1, localRevision: 0))
        _ = try await handle.start("visit")
        _ = try await handle.run([.discard], in: key)
        let view = SessionView.fixture(visit: 3, path: [.fixture(visit: 1), .fixture(visit: 2), .fixture(visit: 3)])
        _ = try await handle.back(view)
        _ = try await handle.edit(key)
        _ = try await handle.send("report", in: key)
        _ = try await handle.abandonSession(key, actor: "Mia", reason: "by phone")
        _ = try await handle.sendFailedAgain()
        _ = try await handle.flush(urgent: true)
        XCTAssertEqual(fake.current.urgentFlushes, 1)
        XCTAssertTrue(fake.current.commands.contains(.back(visit: 3, toVisit: 2)))
        let ids = fake.current.writes.compactMap { write -> String? in
            switch write {
            case .start(let start): start.commandId
            case .send(_, _, _, let id), .abandonSession(_, _, _, let id): id
            default: nil
            }
        }
        XCTAssertEqual(Set(ids).count, 3, "each has an id of its own")
    }

    func testABrokenHandleFailsEveryCall() async throws {
        let fake = shown()
        var updates = fake.observeSession(key).makeAsyncIterator()
        _ = try await updates.next()
        fake.change { $0.failure = CompassError(code: .corrupt) }
        await assertThrows(.corrupt, try await updates.next())
        await assertThrows(.corrupt, try await fake.totals())
        XCTAssertEqual(fake.current.calls.last, "totals")
    }
}
