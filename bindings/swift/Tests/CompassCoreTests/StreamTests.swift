import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

final class StreamTests: XCTestCase {
    func testTheCurrentValueComesFirstAndThenEachChange() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        var updates = compass.observeSession(view.key).makeAsyncIterator()
        let first = try await updates.next()
        XCTAssertEqual(first, view)
        let changed = try await compass.setFields(["site": .text("Mill Lane")], in: view.key).view
        let second = try await updates.next()
        XCTAssertEqual(second, changed)
        try await compass.close()
    }

    func testASlowReaderGetsOnlyTheNewestValue() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        var updates = compass.observeSession(view.key).makeAsyncIterator()
        _ = try await updates.next()
        for number in 1...20 { _ = try await compass.note("note \(number)", in: view.key, commandId: fresh()) }
        let next = try await updates.next()
        XCTAssertEqual(next?.notes.count, 20)
        try await compass.close()
    }

    func testAnEqualValueIsNotGivenAgain() async throws {
        let hub = ChangeHub()
        let (value, asked) = (Locked(1), Locked(0))
        let updates = Updates(hub: hub) { _ in true } query: { _ in
            asked.withLock { $0 += 1 }
            return value.withLock { $0 }
        }
        let reading = Task {
            var seen: [Int] = []
            for try await value in updates { seen.append(value) }
            return seen
        }
        let everything = Notice(revision: 1, sessions: [], outbox: false, endpoints: false, workflows: false, everything: true)
        try await eventually { asked.withLock { $0 } == 1 }
        hub.notify(everything)
        try await eventually { asked.withLock { $0 } == 2 }
        value.withLock { $0 = 2 }
        hub.notify(everything)
        try await eventually { asked.withLock { $0 } == 3 }
        hub.close()
        let seen = try await reading.value
        XCTAssertEqual(seen, [1, 2])
    }

    func testAChangeOfOtherDataCausesNoQuery() async throws {
        let hub = ChangeHub()
        let asked = Locked(0)
        let updates = Updates(hub: hub) { $0.outbox } query: { _ in
            asked.withLock { count in
                count += 1
                return count
            }
        }
        var iterator = updates.makeAsyncIterator()
        _ = try await iterator.next()
        hub.notify(Notice(revision: 1, sessions: ["one"], outbox: false, endpoints: true, workflows: true, everything: false))
        hub.notify(Notice(revision: 2, sessions: [], outbox: true, endpoints: false, workflows: false, everything: false))
        let second = try await iterator.next()
        XCTAssertEqual(second, 2)
    }

    func testListRecordTotalsAndOutboxFollowADelivery() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.completed()
        var list = compass.observeSessions().makeAsyncIterator()
        var record = compass.observeRecord(view.key).makeAsyncIterator()
        var totals = compass.observeTotals().makeAsyncIterator()
        var outbox = compass.observeOutbox().makeAsyncIterator()
        let before = (
            try await list.next()?.sessions.first?.actionsPending, try await record.next()?.actions.first?.status,
            try await totals.next()?.actionsPending, try await outbox.next()?.items.count
        )
        XCTAssertTrue(before == (1, .pending, 1, 1), "\(before)")
        _ = try await compass.flush(deadline: .seconds(10))
        let after = (
            try await list.next()?.sessions.first?.actionsSent, try await record.next()?.actions.first?.status,
            try await totals.next()?.actionsSent, try await outbox.next()?.items.count
        )
        XCTAssertTrue(after == (1, .sent, 1, 0), "\(after)")
        try await compass.close()
    }

    func testARecordSaysAtOnceWhatItsMessagesWaitFor() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.completed()
        var record = compass.observeRecord(view.key).makeAsyncIterator()
        let before = try await record.next()?.actions.first
        XCTAssertTrue(before?.status == .pending && before?.reason == nil)
        try await compass.setEndpointEnabled("office", enabled: false)
        let disabled = try await record.next()?.actions.first?.reason
        XCTAssertEqual(disabled, "endpoint_disabled")
        try await compass.setIntegrationEnabled(false)
        let off = try await record.next()?.actions.first?.reason
        XCTAssertEqual(off, "integration_off")
        try await compass.close()
    }

    func testAMissingSessionIsAnError() async throws {
        let compass = try await Compass.ready()
        var updates = compass.observeSession("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11").makeAsyncIterator()
        await assertThrows(.unknownSession, try await updates.next())
        let after = try await updates.next()
        XCTAssertNil(after)
        XCTAssertEqual(compass.hub.count, 0)
        try await compass.close()
    }

    func testAFailingQueryEndsTheSequenceWithThatError() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.failedAndAbandoned()
        var updates = compass.observeRecord(view.key).makeAsyncIterator()
        _ = try await updates.next()
        try await compass.delete(view.key)
        await assertThrows(.deletedSession, try await updates.next())
        try await compass.close()
    }

    func testClosingCompletesEverySequence() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        let updates = compass.observeSession(view.key)
        let reading = Task {
            var seen = 0
            for try await _ in updates { seen += 1 }
            return seen
        }
        try await eventually { compass.hub.count == 1 }
        var waiting = updates.makeAsyncIterator()
        _ = try await waiting.next()
        try await compass.close()
        let seen = try await reading.value
        let last = try await waiting.next()
        XCTAssertLessThanOrEqual(seen, 1)
        XCTAssertNil(last)
        var late = updates.makeAsyncIterator()
        let nothing = try await late.next()
        XCTAssertNil(nothing)
    }

    func testACancelledTaskEndsItsSequenceAndUnsubscribes() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        let reading = Task {
            var seen = 0
            for try await _ in compass.observeSession(view.key) { seen += 1 }
            return seen
        }
        try await eventually { compass.hub.count == 1 }
        reading.cancel()
        _ = try await reading.value
        XCTAssertEqual(compass.hub.count, 0)
        try await compass.close()
    }

    func testEndpointsIntegrationWorkflowsAndNextDueFollowChanges() async throws {
        let compass = try await Compass.ready()
        var endpoints = compass.observeEndpoints().makeAsyncIterator()
        var integration = compass.observeIntegration().makeAsyncIterator()
        var workflows = compass.observeWorkflows().makeAsyncIterator()
        var due = compass.observeNextDue().makeAsyncIterator()
        let (first, on, listed, idle) = try await (endpoints.next(), integration.next(), workflows.next(), due.next())
        XCTAssertEqual(first?.map(\.enabled), [true])
        XCTAssertEqual(on, true)
        XCTAssertEqual(listed?.count, 1)
        XCTAssertNil(idle?.at)
        let key = try XCTUnwrap(first?.first?.endpoint.key)
        try await compass.setEndpointEnabled(key, enabled: false)
        let second = try await endpoints.next()
        XCTAssertEqual(second?.map(\.enabled), [false])
        try await compass.setEndpointEnabled(key, enabled: true)
        try await compass.setIntegrationEnabled(false)
        let off = try await integration.next()
        XCTAssertEqual(off, false)
        try await compass.setIntegrationEnabled(true)
        let workflow = try XCTUnwrap(listed?.first?.workflow)
        try await compass.retireWorkflow(
            workflow.key, version: WorkflowVersion(version: workflow.version, localRevision: workflow.localRevision))
        let retired = try await workflows.next()
        XCTAssertNotNil(retired?.first?.retiredAt)
        try await compass.close()
    }

    func testAMessageThatNeedsAPersonIsGivenOnce() async throws {
        let compass = try await Compass.ready()
        let stream = compass.observeAttention()
        let session = try await compass.completed()
        // The store of secrets has no secret of that name.
        let status = try await compass.endpoints()[0]
        try await compass.putEndpoint(
            Endpoint(
                key: status.endpoint.key, url: status.endpoint.url, signing: .standardWebhooks(secret: "nobody-has-it"), headers: [],
                network: .any))
        for _ in 0..<2 { _ = try await compass.flush() }
        try await compass.close()
        var given: [Attention] = []
        for await attention in stream { given.append(attention) }
        XCTAssertEqual(given.map(\.session), [session.key])
        XCTAssertEqual(given.map(\.reason), ["secret_missing"])
        XCTAssertEqual(given.map(\.failed), [false])
        for await _ in compass.observeAttention() { XCTFail("the handle is closed") }
    }

    func testActionsThatDidNotFireAreCountedAndSentInOneCall() async throws {
        let compass = try await Compass.ready()
        try await compass.setIntegrationEnabled(false)
        _ = try await compass.completed()
        try await compass.setIntegrationEnabled(true)
        let before = try await compass.outboxTotals()
        XCTAssertEqual([before.notFired, before.pending], [1, 0])
        await assertThrows(.unknownEndpoint, try await compass.sendNotFired(NotFiredFilter(endpoint: "nowhere")))
        let sent = try await compass.sendNotFired()
        XCTAssertEqual(sent, 1)
        let after = try await compass.outboxTotals()
        XCTAssertEqual([after.notFired, after.pending], [0, 1])
        try await compass.close()
    }

    func testEachIteratorIsASubscriptionThatEndsWithIt() async throws {
        let compass = try await Compass.ready()
        let updates = compass.observeOutboxTotals()
        XCTAssertEqual(compass.hub.count, 0)
        do {
            var one = updates.makeAsyncIterator()
            var two = updates.makeAsyncIterator()
            _ = try await one.next()
            _ = try await two.next()
            XCTAssertEqual(compass.hub.count, 2)
        }
        for try await _ in updates { break }
        try await eventually { compass.hub.count == 0 }
        try await compass.close()
    }

    func testAHundredThousandSubscriptionsLeaveNothingBehind() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        for number in 0..<100_000 {
            let iterator = compass.observeSession(view.key).makeAsyncIterator()
            if number % 1000 == 0 {
                var reader = iterator
                _ = try await reader.next()
            }
            withExtendedLifetime(iterator) {}
        }
        XCTAssertEqual(compass.hub.count, 0)
        try await compass.close()
    }
}

extension Compass {
    func failedAndAbandoned() async throws -> SessionView {
        let view = try await completed()
        _ = try await abandon("report", in: view.key, actor: "ada", reason: "by phone", commandId: fresh())
        return view
    }
}
