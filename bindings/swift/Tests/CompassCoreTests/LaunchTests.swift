import CompassCore
import CompassCoreTesting
import Foundation
import XCTest

/// What the first opening of a process has to know: the network and the device.
final class LaunchTests: XCTestCase {
    func testTheFirstAttemptKnowsTheNetwork() async throws {
        let (states, reports) = AsyncStream.makeStream(of: Connectivity.self)
        let fake = FakeCompass()
        let lifecycle = AppLifecycle(handle: fake) { ConnectivityMonitor($0, reporting: states) { reports.finish() } }
        reports.yield(.online(validated: true, metered: true, network: nil))
        try await CallQueue.waiting.call { lifecycle.begin() }
        await lifecycle.settled()
        let calls = fake.current.calls
        let reported = try XCTUnwrap(calls.firstIndex(of: "setConnectivity"))
        XCTAssertLessThan(reported, try XCTUnwrap(calls.firstIndex(of: "startDelivery")))
        lifecycle.end()
    }

    func testAMainThreadThatWaitsForAnOpeningDoesNotHang() async throws {
        let device = VendorDevice { "vendor" }
        let found = await Task { @MainActor () -> String?? in
            let done = DispatchSemaphore(value: 0)
            let answer = Locked<String??>(nil)
            Thread.detachNewThread {
                let name = device.found(within: .milliseconds(10))
                answer.withLock { $0 = .some(name) }
                done.signal()
            }
            blocked(done)
            return answer.withLock { $0 }
        }.value
        XCTAssertEqual(found, .some(nil))
        // The main thread is free again.
        let later = try await CallQueue.waiting.call { device.found(within: .seconds(30)) }
        XCTAssertEqual(later, "vendor")
    }

    func testTheDeviceIsReadWhenTheMainThreadMakesTheHandle() async throws {
        let asked = Locked(0)
        let device = VendorDevice {
            asked.withLock { $0 += 1 }
            return Thread.isMainThread ? "vendor" : "not on the main thread"
        }
        try await onMainActor {
            device.look()
            XCTAssertEqual(asked.withLock { $0 }, 1)
        }
        let name = try await CallQueue.waiting.call { device.found(within: .seconds(0)) }
        XCTAssertEqual(name, "vendor")
        XCTAssertEqual(asked.withLock { $0 }, 1)
    }
}

/// Blocks this thread, which asynchronous code must not do, for ten seconds at most.
private func blocked(_ done: DispatchSemaphore) { _ = done.wait(timeout: .now() + 10) }
