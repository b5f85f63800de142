import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// How often the cases are repeated in which values were lost once.
private let rounds = ProcessInfo.processInfo.environment["COMPASS_ORDER_ROUNDS"].flatMap(Int.init) ?? 200

/// Calls that write take effect in the order in which they were made.
final class OrderTests: XCTestCase {
    func testOfSixValuesForAFieldTheLastOneStays() async throws {
        try await onMainActor {
            let compass = try await Compass.ready()
            var lost: [String] = []
            for round in 0..<rounds {
                let view = try await compass.begun()
                let calls = (1...6).map { number in
                    Task { _ = try await compass.setFields(["site": .text("\(round) v\(number)")], in: view.key) }
                }
                for call in calls { try await call.value }
                let kept = try await compass.session(view.key).fields.first?.state
                if kept != .provided(.text("\(round) v6")) { lost.append("\(round): \(kept.map { "\($0)" } ?? "nothing")") }
                _ = try await compass.discard(view.key)
            }
            XCTAssertEqual(lost, [])
            try await compass.close()
        }
    }

    func testATapDoesNotOvertakeTheValueBeforeIt() async throws {
        try await onMainActor {
            let compass = try await Compass.ready()
            try await tapsAfterValues(compass)
            try await compass.close()
            let lazy = Compass.lazy(try CompassOptions.testing())
            _ = try await lazy.importWorkflow(pumpCheck)
            try await tapsAfterValues(lazy)
            try await lazy.close()
        }
    }

    func testNoLetterOfATypedTextIsLost() async throws {
        try await onMainActor {
            let compass = try await Compass.ready()
            let text = "Mill Lane 42, back door"
            var lost: [String] = []
            for _ in 0..<rounds {
                let view = try await compass.begun()
                let letters = text.indices.map { index in
                    Task { try await compass.saveDraft("site", text: String(text[...index]), in: view.key) }
                }
                for letter in letters { try await letter.value }
                let draft = try await compass.session(view.key).fields.first?.draft
                if draft != text { lost.append(draft ?? "nothing") }
                _ = try await compass.discard(view.key)
            }
            XCTAssertEqual(lost, [])
            try await compass.close()
        }
    }

    /// A model of an app on an actor that is not the main actor.
    private actor Typist {
        let compass: any CompassHandle

        init(_ compass: any CompassHandle) { self.compass = compass }

        func type(_ text: String, in session: SessionKey) async throws {
            let letters = text.indices.map { index in
                Task { try await compass.saveDraft("site", text: String(text[...index]), in: session) }
            }
            for letter in letters { try await letter.value }
        }
    }

    func testAWriteThatWaitsIsCarriedOutAlthoughItsTaskIsCancelled() async throws {
        try await onMainActor {
            let compass = try await Compass.ready()
            let view = try await compass.begun()
            let release = try await blockWrites(compass)
            let called = Locked(false)
            let write = Task {
                called.withLock { $0 = true }
                return try await compass.setFields(["site": .text("Mill Lane")], in: view.key)
            }
            try await eventually { called.withLock { $0 } }
            write.cancel()
            release.signal()
            do {
                _ = try await write.value
                XCTFail("the result was not dropped")
            } catch is CancellationError {}
            let site = try await compass.session(view.key).fields.first?.state
            XCTAssertEqual(site, .provided(.text("Mill Lane")))
            try await compass.close()
        }
    }

    func testATaskThatWasCancelledBeforeCallsNothing() async throws {
        let compass = try await Compass.ready()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await compass.begun()
        }
        do {
            _ = try await task.value
            XCTFail("a cancelled task began a session")
        } catch is CancellationError {}
        let totals = try await compass.totals()
        XCTAssertEqual(totals.sessions.inProgress, 0)
        try await compass.close()
    }

    func testQueriesAndDeliveryRunBesideAWriteThatTakesLong() async throws {
        try await onMainActor {
            let compass = try await Compass.ready()
            let view = try await compass.completed()
            let release = try await blockWrites(compass)
            let report = try await withWatchdog("Delivery beside a write") { try await compass.flush() }
            XCTAssertEqual(report.sent, 1)
            let record = try await withWatchdog("A query beside a write") { try await compass.record(view.key) }
            XCTAssertEqual(record.actions.map(\.status), [.sent])
            release.signal()
            try await compass.close()
        }
    }

    func testNoTapAndNoQueryWaitsForALongRead() async throws {
        try await onMainActor {
            let compass = try await Compass.ready()
            let view = try await compass.begun()
            let (begun, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let first = Task {
                try await compass.longReads.call {
                    begun.signal()
                    release.wait()
                }
            }
            try await CallQueue.waiting.call { begun.wait() }
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("copies-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let long = (0..<8).map { number in Task { try await compass.backup(to: folder.appendingPathComponent("\(number).db")) } }
            let checks = (0..<8).map { _ in Task { try await compass.check() } }
            let after = try await withWatchdog("A tap beside copies and checks") {
                _ = try await compass.setFields(["site": .text("Mill Lane")], in: view.key)
                return try await compass.session(view.key)
            }
            XCTAssertEqual(after.fields.first?.state, .provided(.text("Mill Lane")))
            XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), [])
            release.signal()
            try await first.value
            for copy in long { try await copy.value }
            for check in checks {
                let report = try await check.value
                XCTAssertEqual(report.faults, [])
            }
            try await compass.close()
        }
    }

    func testClosingWaitsForEarlierCallsAndRefusesLaterOnes() async throws {
        try await onMainActor {
            let options = try CompassOptions.testing()
            let compass = try await Compass.open(options)
            _ = try await compass.importWorkflow(pumpCheck)
            let view = try await compass.begun()
            let release = try await blockWrites(compass)
            let before = Task { try await compass.setFields(["site": .text("Mill Lane")], in: view.key).applied }
            let closing = Task { try await compass.close() }
            let after = Task { _ = try await compass.setFields(["site": .text("too late")], in: view.key) }
            // All three have their places when a fourth has run.
            await Task {}.value
            closing.cancel()
            release.signal()
            let applied = try await before.value
            XCTAssertEqual(applied, .yes)
            do {
                try await closing.value
                XCTFail("the result was not dropped")
            } catch is CancellationError {}
            await assertThrows(.closed, try await after.value)
            await assertThrows(.closed, try await compass.totals())
            await assertThrows(.closed, try await compass.flush())
            try await compass.close()
            let again = try await Compass.open(options)
            let site = try await again.session(view.key).fields.first?.state
            XCTAssertEqual(site, .provided(.text("Mill Lane")))
            try await again.close()
        }
    }

    func testAnyActorKeepsTheOrderOfItsCalls() async throws {
        let compass = try await Compass.ready()
        let typist = Typist(compass)
        var lost: [String] = []
        for _ in 0..<rounds {
            let view = try await compass.begun()
            try await typist.type("Mill Lane", in: view.key)
            let draft = try await compass.session(view.key).fields.first?.draft
            if draft != "Mill Lane" { lost.append(draft ?? "nothing") }
            _ = try await compass.discard(view.key)
        }
        XCTAssertEqual(lost, [])
        try await compass.close()
    }
}

/// A write that keeps the others waiting until the semaphore is signalled.
private func blockWrites(_ compass: Compass) async throws -> DispatchSemaphore {
    let (begun, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    Task {
        try await compass.writes.call(on: nil) {
            begun.signal()
            release.wait()
        }
    }
    try await CallQueue.waiting.call { begun.wait() }
    return release
}

@MainActor
private func tapsAfterValues(_ compass: any CompassHandle) async throws {
    var refused = 0
    for _ in 0..<rounds {
        let view = try await compass.start("pump-check").view
        let value = Task { _ = try await compass.setFields(["site": .text("Mill Lane")], in: view.key) }
        let tap = Task { _ = try await compass.answer("on", visit: view.visit, in: view.key) }
        try await value.value
        do { try await tap.value } catch let error as CompassError where error.code == .fieldProblems { refused += 1 }
        _ = try await compass.discard(view.key)
    }
    XCTAssertEqual(refused, 0)
}
