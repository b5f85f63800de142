import CompassCore
import CompassCoreTesting
import CompassInternal
import Foundation
import XCTest

/// Listeners of the core itself, without the hub of this package.
final class CoreListenerTests: XCTestCase {
    private final class Listener: CompassInternal.ChangeListener {
        private let onNotice: @Sendable (Notice) throws -> Void
        private let gone: Counter?

        init(gone: Counter? = nil, _ onNotice: @escaping @Sendable (Notice) throws -> Void = { _ in }) {
            self.onNotice = onNotice
            self.gone = gone
        }

        deinit { gone?.count() }

        func onChange(notice: Notice) throws { try onNotice(notice) }
    }

    private final class Counter: Sendable {
        private let counted = Locked(0)
        var value: Int { counted.withLock { $0 } }
        func count() { counted.withLock { $0 += 1 } }
    }

    func testAListenerMayCallTheCoreAndUnsubscribe() async throws {
        let compass = try await Compass.ready()
        let view = try await compass.begun()
        let core = try compass.keeper.use { $0 }
        let subscription = Locked<CompassInternal.Subscription?>(nil)
        let notices = Counter()
        let listener = Listener { notice in
            _ = try core.session(session: view.key)
            _ = try core.outboxTotals()
            if notices.value == 0 {
                // A change from inside a notice notifies the listener again.
                notices.count()
                try core.setIntegrationEnabled(enabled: false)
            } else {
                subscription.withLock { $0 }?.cancel()
            }
        }
        let registered = try core.observe(listener: listener)
        subscription.withLock { $0 = registered }
        try await withWatchdog("A listener that calls the core") {
            _ = try await compass.setFields(["site": .text("Mill Lane")], in: view.key)
            _ = try await compass.setFields(["site": .text("Mill Road")], in: view.key)
        }
        XCTAssertEqual(notices.value, 1)
        try await compass.close()
    }

    func testCallsThatWouldWaitForThemselvesAreRefused() async throws {
        let compass = try await Compass.ready()
        let core = try compass.keeper.use { $0 }
        let codes = Locked<[String]>([])
        let listener = Listener { _ in
            for call in [{ _ = try core.flush(deadlineMs: 1000, cancel: Cancel()) }, { try core.quiesce() }, { try core.shutDown() }] {
                do { try call() } catch CoreError.Failed(let code, _, _, _, _, _, _) { codes.withLock { $0.append(code) } }
            }
        }
        let subscription = try core.observe(listener: listener)
        try await withWatchdog("A listener that calls flush") { try await compass.setIntegrationEnabled(false) }
        XCTAssertEqual(codes.withLock { $0 }, ["reentrant", "reentrant", "reentrant"])
        subscription.cancel()
        try await compass.close()
    }

    func testAListenerThatThrowsChangesNothing() async throws {
        let compass = try await Compass.ready()
        let subscription = try compass.keeper.use { $0 }.observe(listener: Listener { _ in throw PortError.Failed(detail: "no") })
        try await compass.setIntegrationEnabled(false)
        let enabled = try await compass.integrationEnabled()
        XCTAssertFalse(enabled)
        subscription.cancel()
        try await compass.close()
    }

    func testAHundredThousandListenersLeaveNoHandleBehind() async throws {
        let compass = try await Compass.ready()
        let core = try compass.keeper.use { $0 }
        let gone = Counter()
        try await compass.queries.call {
            for _ in 0..<100_000 {
                let subscription = try core.observe(listener: Listener(gone: gone))
                subscription.cancel()
            }
        }
        // A handle that the core still keeps would keep its listener.
        XCTAssertEqual(gone.value, 100_000)
        try await compass.close()
    }
}
