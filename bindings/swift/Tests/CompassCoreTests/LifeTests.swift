import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// Threads, cancellation, holds, and automatic delivery.
final class LifeTests: XCTestCase {
    /// A transport that keeps every request waiting until it is cancelled or released.
    private final class Gate: Transport {
        private struct State {
            var waiting: [UInt64: DispatchSemaphore] = [:]
            var began = 0
        }

        private let state = Locked(State())
        var began: Int { state.withLock { $0.began } }

        func send(_ request: TransportRequest) -> TransportOutcome {
            let gate = DispatchSemaphore(value: 0)
            state.withLock { state in
                state.waiting[request.id] = gate
                state.began += 1
            }
            gate.wait()
            return .failed(TransportFailure(kind: .cancelled, phase: .receive, requestSent: .maybe, detail: "cancelled"))
        }

        func cancel(_ id: UInt64) { state.withLock { $0.waiting.removeValue(forKey: id) }?.signal() }
    }

    func testNothingBlocksTheCooperativePoolOrTheMainActor() async throws {
        let gate = Gate()
        let compass = try await Compass.ready(clock: nil, transport: gate)
        _ = try await compass.completed()
        let flush = Task { try await compass.flush(deadline: .seconds(60)) }
        try await eventually { gate.began == 1 }
        // While a flush blocks, far more calls than the pool has threads go through, from the main actor too.
        try await withWatchdog("Calls beside a flush") {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<200 { group.addTask { _ = try await compass.totals() } }
                group.addTask { _ = try await Task { @MainActor in try await compass.sessions() }.value }
                try await group.waitForAll()
            }
        }
        flush.cancel()
        _ = try? await flush.value
        try await compass.close()
    }

    func testOpeningHappensOnAThreadOfItsOwn() async throws {
        let options = try CompassOptions.testing()
        let compass = try await Task { @MainActor in try await Compass.open(options) }.value
        let asked = try await compass.queries.call { (Thread.isMainThread, OperationQueue.current?.name) }
        XCTAssertFalse(asked.0)
        XCTAssertEqual(asked.1, "dev.compass.core.queries")
        let written = try await Task { @MainActor in try await compass.write(on: MainActor.shared) { _ in Thread.isMainThread } }.value
        XCTAssertFalse(written)
        try await compass.close()
    }

    func testCancellingAFlushReleasesTheClaimAndKeepsTheUnknownOutcome() async throws {
        let gate = Gate()
        let clock = ManualClock()
        let compass = try await Compass.ready(clock: clock, transport: gate)
        let view = try await compass.completed()
        let flush = Task { try await compass.flush(deadline: .seconds(60)) }
        try await eventually { gate.began == 1 }
        flush.cancel()
        do {
            _ = try await withWatchdog("A cancelled flush") { try await flush.value }
            XCTFail("the flush was not cancelled")
        } catch is CancellationError {}
        let delivery = try await compass.record(view.key).actions[0].deliveries[0]
        XCTAssertEqual(delivery.state, .pending)
        XCTAssertTrue(delivery.mayHaveBeenDelivered)
        XCTAssertEqual(delivery.lastAttempts.map(\.counted), [false])
        // Due again at once: the clock does not move, so a claim that was not released would keep it back.
        let due = try await compass.nextDue()
        XCTAssertTrue(due.at.map { $0 <= clock.now } ?? (due.whenOnline != nil), "\(due)")
        let second = Task { try await compass.flush(deadline: .seconds(60)) }
        try await eventually { gate.began == 2 }
        second.cancel()
        _ = try? await second.value
        try await compass.close()
    }

    func testTheLastHoldQuiescesAndTheNextOneGoesOn() async throws {
        let compass = try await Compass.ready()
        _ = try await compass.completed()
        let (one, two) = (try await compass.resume(), try await compass.resume())
        await one.release()
        await one.release()
        await two.release()
        let asleep = try await compass.flush(deadline: .seconds(10))
        XCTAssertEqual(asleep.end, .quiesced)
        _ = try await compass.totals()
        let three = try await compass.resume()
        let awake = try await compass.flush(deadline: .seconds(10))
        XCTAssertEqual(awake.sent, 1)
        await three.release()
        try await compass.close()
    }

    func testABackgroundJobDeliversAndReleasesItsHold() async throws {
        let compass = try await Compass.ready()
        _ = try await compass.completed()
        try await compass.quiesce()
        let finished = await BackgroundJob.run(compass)
        XCTAssertTrue(finished)
        let totals = try await compass.outboxTotals()
        XCTAssertEqual(totals.pending, 0)
        let after = try await compass.flush(deadline: .seconds(1))
        XCTAssertEqual(after.end, .quiesced)
        try await compass.close()
    }

    func testABackgroundJobThatTheSystemEndsCancelsItsAttemptAndReleasesItsHold() async throws {
        let gate = Gate()
        let compass = try await Compass.ready(transport: gate)
        _ = try await compass.completed()
        let job = Task { await BackgroundJob.run(compass) }
        try await eventually { gate.began == 1 }
        job.cancel()
        let finished = try await withWatchdog("A background job that was ended") { await job.value }
        XCTAssertFalse(finished)
        let after = try await compass.flush(deadline: .seconds(1))
        XCTAssertEqual(after.end, .quiesced)
        try await compass.close()
    }

    func testTheForegroundHoldsAndTheBackgroundReleasesAutomatically() async throws {
        let compass = try await Compass.ready()
        let lifecycle = AppLifecycle(handle: compass)
        lifecycle.begin()
        await lifecycle.settled()
        _ = try await compass.completed()
        try await eventually { try await compass.outboxTotals().pending == 0 }
        // A message of a session that is completed just before is still sent.
        try await compass.stopDelivery()
        _ = try await compass.completed()
        NotificationCenter.default.post(name: AppLifecycle.didEnterBackground, object: nil)
        try await withWatchdog("Going into the background") { await lifecycle.settled() }
        let asleep = try await compass.flush(deadline: .seconds(10))
        XCTAssertEqual(asleep.end, .quiesced)
        let left = try await compass.outboxTotals()
        XCTAssertEqual(left.pending, 0)
        NotificationCenter.default.post(name: AppLifecycle.willEnterForeground, object: nil)
        await lifecycle.settled()
        let awake = try await compass.flush(deadline: .seconds(10))
        XCTAssertEqual(awake.end, .drained)
        lifecycle.end()
        try await compass.close()
    }

    func testWithAutomaticDeliveryAWebhookIsSentAutomatically() async throws {
        let transport = ScriptedTransport()
        let compass = try await Compass.ready(transport: transport) { $0.delivery = .automatic }
        _ = try await compass.completed()
        try await eventually { transport.requests.count == 1 }
        try await withWatchdog("Closing") { try await compass.close() }
    }

    func testABackgroundJobIsRequestedWhenMessagesWaitForTimeOrANetwork() {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        func due(at: Date? = nil, online: NetworkNeed? = nil, person: Bool = false) -> NextDue {
            NextDue(at: at, atNeedsUnmetered: nil, whenOnline: online, needsPerson: person)
        }
        XCTAssertEqual(BackgroundPlan(due(person: true), now: now), .nothing)
        XCTAssertEqual(BackgroundPlan(due(at: now - 60), now: now), .job(notBefore: now))
        XCTAssertEqual(BackgroundPlan(due(at: now + 60), now: now), .job(notBefore: now + 60))
        XCTAssertEqual(BackgroundPlan(due(at: now + 60, online: .any), now: now), .job(notBefore: now))
        XCTAssertTrue(BackgroundPlan.job(notBefore: now).moves(.nothing))
        XCTAssertTrue(BackgroundPlan.job(notBefore: now).moves(.job(notBefore: now + 1)))
        XCTAssertFalse(BackgroundPlan.job(notBefore: now).moves(.job(notBefore: now)))
        XCTAssertFalse(BackgroundPlan.nothing.moves(.job(notBefore: now)))
    }

    func testTheConnectivityOfAPath() {
        for (satisfied, expensive, constrained, meaning) in [
            (false, true, false, Connectivity.offline), (true, false, false, .online(validated: nil, metered: false, network: 1)),
            (true, true, false, .online(validated: nil, metered: true, network: 1)),
            (true, false, true, .online(validated: nil, metered: true, network: 1)),
        ] {
            XCTAssertEqual(Connectivity(satisfied: satisfied, expensive: expensive, constrained: constrained, network: 1), meaning)
        }
    }

    func testAnotherWayToTheNetworkIsAnotherNetwork() {
        var numbers = PathNumber()
        let (atWork, mobile) = (["en0 6", "192.168.1.1:0"], ["pdp_ip0 3"])
        XCTAssertEqual([atWork, atWork, mobile, ["en0 6", "10.0.0.1:0"], atWork, atWork].map { numbers.of($0) }, [1, 1, 2, 3, 4, 4])
    }

    func testAPersonMayAskForAFlush() async throws {
        let compass = try await Compass.ready()
        _ = try await compass.completed()
        try await compass.setConnectivity(.online(validated: nil, metered: false, network: .max))
        let report = try await compass.flush(deadline: .seconds(10), urgent: true)
        XCTAssertEqual(report.sent, 1)
        try await compass.close()
    }

    func testAHandleIsHeldWhileWorkRunsAndAfterThatItIsQuiesced() async throws {
        let fake = FakeCompass()
        let report = try await fake.held { try await fake.flush() }
        XCTAssertEqual(report.end, .drained)
        await assertThrows("disk_full", try await fake.held { throw CompassError(code: .diskFull) })
        XCTAssertEqual(fake.current.calls, ["resume", "flush", "release", "resume", "release"])
    }

    func testTheLogIsTheCoresAndHoldsNoValues() async throws {
        let lines = Locked<[LogRecord]>([])
        try CompassLog.send(from: .trace) { line in lines.withLock { $0.append(line) } }
        let compass = try await Compass.ready(transport: ScriptedTransport { _, _ in .answered(TransportResponse(status: 503)) })
        _ = try await compass.completed(site: "42 Mill Lane")
        _ = try await compass.flush(deadline: .seconds(10))
        try await compass.close()
        try CompassLog.off()
        XCTAssertFalse(lines.withLock { $0 }.contains { $0.text.contains("Mill Lane") })
    }

    func testWithAutomaticDeliveryTheNetworkIsWatched() async throws {
        /// A network of the test's own, until it is released.
        final class Network: Sendable {
            let ended: Locked<Bool>
            init(_ ended: Locked<Bool>) { self.ended = ended }
            deinit { ended.withLock { $0 = true } }
        }
        let (watched, ended) = (Locked<[any CompassHandle]>([]), Locked(false))
        let transport = ScriptedTransport()
        let compass = try await Compass.ready(clock: nil, transport: transport) { options in
            options.delivery = .automatic
            options.watchNetwork = { handle in
                watched.withLock { $0.append(handle) }
                return Network(ended)
            }
        }
        let network = try XCTUnwrap(watched.withLock { $0.first })
        try await network.setConnectivity(.offline)
        _ = try await compass.completed()
        let offline = try await compass.flush()
        XCTAssertEqual(offline.end, .offline)
        XCTAssertEqual(transport.requests.count, 0)
        try await network.setConnectivity(.online(validated: nil, metered: false, network: 1))
        try await eventually { transport.requests.count == 1 }
        XCTAssertFalse(ended.withLock { $0 })
        try await compass.close()
        try await eventually { ended.withLock { $0 } }
        XCTAssertEqual(watched.withLock { $0.count }, 1)
    }

    func testBothBackgroundTasksAreRequestedAndAgainOnlyIfTheyMoveEarlier() async throws {
        let asked = Locked<[String]>([])
        let requests = BackgroundRequests { kind, moment in
            asked.withLock { $0.append("\(kind.identifier(of: "deliver")) \(Int(moment.timeIntervalSince1970))") }
        }
        func at(_ seconds: Int) -> BackgroundPlan { .job(notBefore: Date(timeIntervalSince1970: TimeInterval(seconds))) }
        requests.ask(.nothing)
        requests.ask(at(100))
        requests.ask(at(100))
        requests.ask(at(200))
        XCTAssertEqual(asked.withLock { $0 }, ["deliver.refresh 100", "deliver 100"])
        requests.ask(at(50))
        XCTAssertEqual(asked.withLock { $0 }.suffix(2), ["deliver.refresh 50", "deliver 50"])
        // The one that has run is requested again, the other is still there.
        requests.began(.refresh)
        requests.ask(at(300))
        XCTAssertEqual(asked.withLock { $0 }.suffix(1), ["deliver.refresh 300"])
        XCTAssertEqual(asked.withLock { $0.count }, 5)
    }

    func testARefusalOfTheSystemIsInTheLog() async throws {
        let lines = Locked<[LogRecord]>([])
        try CompassLog.send(from: .warn) { line in lines.withLock { $0.append(line) } }
        let refused = Locked(true)
        let asked = Locked<[BackgroundRequests.Kind]>([])
        let requests = BackgroundRequests { kind, _ in
            if refused.withLock({ $0 }) { throw NSError(domain: "BGTaskSchedulerErrorDomain", code: 3) }
            asked.withLock { $0.append(kind) }
        }
        requests.ask(.job(notBefore: Date()))
        BackgroundRequests.refused("register", "deliver", nil)
        let fake = FakeCompass()
        fake.refuseNext(CompassError(code: .cannotOpen), of: "nextDue")
        await requests.ask(for: fake)
        try CompassLog.send(from: .error, to: { line in lines.withLock { $0.append(line) } })
        requests.ask(.job(notBefore: Date()))
        try CompassLog.off()
        requests.ask(.job(notBefore: Date()))
        XCTAssertEqual(lines.withLock { $0.filter { $0.target == "compass_swift" }.map(\.text) }, [
            "the system refused to submit the background task refresh, BGTaskSchedulerErrorDomain 3",
            "the system refused to submit the background task processing, BGTaskSchedulerErrorDomain 3",
            "the system refused to register the background task deliver",
            "no background task is requested: cannot_open",
        ])
        XCTAssertEqual(lines.withLock { $0.first?.level }, .warn)
        // A refused task does not count as requested.
        refused.withLock { $0 = false }
        fake.change { $0.nextDue = NextDue(at: Date(), atNeedsUnmetered: nil, whenOnline: nil, needsPerson: false) }
        await requests.ask(for: fake)
        XCTAssertEqual(asked.withLock { $0 }, [.refresh, .processing])
    }
}
