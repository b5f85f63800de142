import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// A lazy handle.
final class LazyTests: XCTestCase {
    private func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

    func testTheFirstCallOpensAndTheHandleIsThereBefore() async throws {
        let options = try CompassOptions.testing()
        let compass = Compass.lazy(options)
        XCTAssertFalse(exists(options.file))
        let workflows = try await compass.workflows()
        XCTAssertEqual(workflows, [])
        XCTAssertTrue(exists(options.file))
        await assertThrows(.alreadyOpen, try await Compass.open(options))
        try await compass.close()
    }

    func testManyFirstCallsAtOnceOpenOnce() async throws {
        let compass = Compass.lazy(try CompassOptions.testing())
        try await withWatchdog("First calls") {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 { group.addTask { _ = try await compass.workflows() } }
                for _ in 0..<50 { group.addTask { try await compass.setIntegrationEnabled(true) } }
                for _ in 0..<5 { group.addTask { _ = try await compass.flush() } }
                try await group.waitForAll()
            }
        }
        try await compass.close()
    }

    func testWritesThatWereCalledBeforeItIsOpenKeepTheirOrder() async throws {
        try await onMainActor {
            let compass = Compass.lazy(try CompassOptions.testing())
            let calls = (0..<21).map { number in Task { try await compass.setIntegrationEnabled(number.isMultiple(of: 2)) } }
            for call in calls { try await call.value }
            let enabled = try await compass.integrationEnabled()
            XCTAssertTrue(enabled)
            try await compass.close()
        }
    }

    func testAnErrorOfOpeningIsThrownAndTheNextCallTriesAgain() async throws {
        var options = try CompassOptions.testing()
        let folder = options.file.deletingLastPathComponent().appendingPathComponent("later")
        options.file = folder.appendingPathComponent("test.db")
        let compass = Compass.lazy(options)
        await assertThrows(.cannotOpen, try await compass.workflows())
        await assertThrows(.cannotOpen, try await compass.setIntegrationEnabled(true))
        await assertThrows(.cannotOpen, try await compass.flush())
        var updates = compass.observeWorkflows().makeAsyncIterator()
        await assertThrows(.cannotOpen, try await updates.next())
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await compass.setIntegrationEnabled(true)
        try await compass.close()
    }

    func testOptionsThatCannotBeMadeYetAreMadeAgain() async throws {
        struct Locked: Error {}
        let unlocked = CompassCore.Locked(false)
        let options = try CompassOptions.testing()
        let compass = Compass.lazy {
            if !unlocked.withLock({ $0 }) { throw Locked() }
            return options
        }
        do {
            _ = try await compass.workflows()
            XCTFail("it opened")
        } catch let error as CompassError {
            XCTAssertEqual(error.code, .cannotOpen)
            XCTAssertTrue(error.retryable)
        }
        await assertThrows(.cannotOpen, try await compass.whileClosed { _ in })
        unlocked.withLock { $0 = true }
        _ = try await compass.workflows()
        try await compass.close()
    }

    func testAfterClosingTheNextCallOpensAgainAndEarlierSequencesHaveEnded() async throws {
        let options = try CompassOptions.testing()
        let compass = Compass.lazy(options)
        var before = compass.observeWorkflows().makeAsyncIterator()
        _ = try await before.next()
        try await compass.close()
        let nothing = try await before.next()
        XCTAssertNil(nothing)
        // Ended sequences have opened nothing.
        let other = try await Compass.open(options)
        try await other.close()
        var after = compass.observeWorkflows().makeAsyncIterator()
        let workflows = try await after.next()
        XCTAssertEqual(workflows, [])
        _ = try await compass.importWorkflow(pumpCheck)
        let imported = try await after.next()
        XCTAssertEqual(imported?.count, 1)
        try await compass.close()
        try await compass.close()
    }

    func testAQueryFromBeforeClosingOpensNothingAfterIt() async throws {
        let options = try CompassOptions.testing()
        let compass = Compass.lazy(options)
        _ = try await compass.workflows()
        let epoch = compass.hub.epoch
        try await compass.close()
        await assertThrows(.closed, try await compass.ask(since: epoch) { try $0.workflows() })
        let other = try await Compass.open(options)
        try await other.close()
    }

    func testAutomaticDeliveryDoesNotOpenAClosedDatabase() async throws {
        let handles = Locked<[any CompassHandle]>([])
        var options = try CompassOptions.testing()
        options.delivery = .automatic
        options.watchNetwork = { handle in
            handles.withLock { $0.append(handle) }
            return true
        }
        let compass = Compass.lazy(options)
        _ = try await compass.workflows()
        await compass.keeper.settled()
        let inner = try XCTUnwrap(handles.withLock { $0.first })
        try await inner.setConnectivity(.offline)
        let offline = try await compass.flush()
        XCTAssertEqual(offline.end, .offline)
        try await compass.close()
        await assertThrows(.closed, try await inner.workflows())
        await assertThrows(.closed, try await inner.flush())
        NotificationCenter.default.post(name: AppLifecycle.willEnterForeground, object: nil)
        let other = try await Compass.open({ var manual = options; manual.delivery = .manual; return manual }())
        try await other.close()
    }

    func testTheDatabaseIsReplacedAndSequencesGoOn() async throws {
        let options = try CompassOptions.testing()
        let compass = Compass.lazy(options)
        let copy = options.file.deletingLastPathComponent().appendingPathComponent("copy.db")
        try await compass.backup(to: copy)
        _ = try await compass.importWorkflow(pumpCheck)
        var updates = compass.observeWorkflows().makeAsyncIterator()
        let one = try await updates.next()
        XCTAssertEqual(one?.count, 1)
        let (begun, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let restoring = Task {
            try await compass.whileClosed { file in
                begun.signal()
                try await CallQueue.waiting.call { release.wait() }
                try await Compass.restore(from: copy, options: RestoreOptions(file: file))
            }
        }
        try await CallQueue.waiting.call { begun.wait() }
        // Once begun it runs to its end, and calls wait meanwhile.
        restoring.cancel()
        let asking = Task { try await compass.workflows() }
        let writing = Task { try await compass.setIntegrationEnabled(true) }
        release.signal()
        let asked = try await withWatchdog("A query meanwhile") { try await asking.value }
        XCTAssertEqual(asked, [])
        try await writing.value
        let none = try await updates.next()
        XCTAssertEqual(none, [])
        try await restoring.value
        let enabled = try await compass.integrationEnabled()
        XCTAssertTrue(enabled)
        try await compass.close()
    }

    func testAHandleRestoresAndErasesItsDatabaseAndGoesOn() async throws {
        for opens in [Compass.lazy, { try await Compass.open($0) }] as [(CompassOptions) async throws -> Compass] {
            let options = try CompassOptions.testing()
            let handle: any CompassHandle = try await opens(options)
            let copy = options.file.deletingLastPathComponent().appendingPathComponent("copy.db")
            try await handle.backup(to: copy)
            _ = try await handle.importWorkflow(pumpCheck)
            var updates = handle.observeWorkflows().makeAsyncIterator()
            let one = try await updates.next()
            XCTAssertEqual(one?.count, 1)
            try await handle.restore(from: copy)
            let (restored, none) = (try await handle.workflows(), try await updates.next())
            XCTAssertEqual([restored, none], [[], []])

            _ = try await handle.importWorkflow(pumpCheck)
            try await handle.setIntegrationEnabled(true)
            try await handle.putEndpoint(officeAt("http://127.0.0.1:9/hooks"))
            let key = try await (handle as! Compass).completed().key
            await assertThrows(.undelivered, try await handle.erase())
            let kept = try await handle.record(key)
            XCTAssertEqual(kept.actions.map(\.status), [.pending])
            try await handle.erase(discardUndelivered: DiscardUndelivered(actor: "Mia", reason: "logged out"))
            await assertThrows(.unknownSession, try await handle.record(key))
            try await handle.close()
        }
    }

    func testAfterWorkThatFailedTheHandleGoesOn() async throws {
        let compass = Compass.lazy(try CompassOptions.testing())
        _ = try await compass.importWorkflow(pumpCheck)
        await assertThrows(.invalidArgument, try await compass.whileClosed { file in
            try await Compass.restore(from: file.appendingPathExtension("missing"), options: RestoreOptions(file: file))
        })
        let workflows = try await compass.workflows()
        XCTAssertEqual(workflows.count, 1)
        try await compass.whileClosed { try await Compass.erase($0) }
        let erased = try await compass.workflows()
        XCTAssertEqual(erased, [])
        try await compass.close()
    }

    func testADatabaseThatDoesNotOpenCanBeErasedWhileClosed() async throws {
        let options = try CompassOptions.testing()
        try Data(String(repeating: "Not a database. ", count: 1000).utf8).write(to: options.file)
        let compass = Compass.lazy(options)
        await assertThrows(.notADatabase, try await compass.workflows())
        await assertThrows(.notADatabase, try await compass.whileClosed { _ in })
        let discard = DiscardUndelivered(actor: "Mia", reason: "nothing can be read")
        try await compass.whileClosed { try await Compass.erase($0, discardUndelivered: discard) }
        let workflows = try await compass.workflows()
        XCTAssertEqual(workflows, [])
        try await compass.close()
    }

    /// The steps of the guide.
    func testWhoLogsOutLosesNothingUnseenAndLeavesNothingBehind() async throws {
        let away = ScriptedTransport { _, _ in
            .failed(TransportFailure(kind: .noNetwork, phase: .connect, requestSent: .no, detail: ""))
        }
        let compass = Compass.lazy(try CompassOptions.testing(transport: away))
        _ = try await compass.importWorkflow(pumpCheck)
        try await compass.setIntegrationEnabled(true)
        try await compass.putEndpoint(officeAt("http://127.0.0.1:9/hooks"))
        let key = try await compass.completed().key
        let report = try await compass.flush(deadline: .seconds(20), urgent: true)
        XCTAssertEqual(report.sent, 0)
        XCTAssertEqual(report.pending, 1)
        // Nobody has given it up.
        await assertThrows(.undelivered, try await compass.whileClosed { try await Compass.erase($0) })
        let kept = try await compass.record(key)
        XCTAssertEqual(kept.actions.map(\.status), [.pending])
        let discard = DiscardUndelivered(actor: "Mia", reason: "logged out")
        try await compass.whileClosed { try await Compass.erase($0, discardUndelivered: discard) }
        await assertThrows(.unknownSession, try await compass.record(key))
        let (list, totals, due) = try await (compass.sessions(), compass.outboxTotals(), compass.nextDue())
        XCTAssertEqual(list.sessions, [])
        XCTAssertEqual(totals.pending, 0)
        XCTAssertEqual(due, NextDue(at: nil, atNeedsUnmetered: nil, whenOnline: nil, needsPerson: false))
        try await compass.close()
    }

    func testAHandleThatWasOpenedStaysClosedButMayGetAnotherDatabase() async throws {
        let compass = try await Compass.ready()
        try await compass.whileClosed { try await Compass.erase($0) }
        let workflows = try await compass.workflows()
        XCTAssertEqual(workflows, [])
        try await compass.close()
        await assertThrows(.closed, try await compass.workflows())
        await assertThrows(.closed, try await compass.whileClosed { _ in })
    }
}
