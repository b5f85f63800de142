package import Foundation
#if canImport(UIKit)
import UIKit
#endif

/// Takes and releases the hold of the foreground automatically.
///
/// In the foreground it takes one hold, delivers in the background of the process, and checks for changes of another process. When the app
/// leaves the foreground, due messages are delivered as long as the system allows it. Then the hold is released, and the handle quiesces if
/// there is no other hold.
package final class AppLifecycle: Sendable {
    // As names: extensions of an app, which have no application object, can use this too.
    package static let didEnterBackground = Notification.Name("UIApplicationDidEnterBackgroundNotification")
    package static let willEnterForeground = Notification.Name("UIApplicationWillEnterForegroundNotification")
    // iOS gives about 30 s, and quiescing takes up to 2.
    private static let lastFlush = Duration.seconds(20)

    private struct State {
        var ended = false
        var observers: [Observer] = []
        var network: (any Sendable)?
        var hold: Hold?
        var latest: Task<Void, Never>?
    }

    // Unchecked: a token of NotificationCenter, which is only used to remove the observer.
    private struct Observer: @unchecked Sendable {
        let token: any NSObjectProtocol
    }

    private struct Handle: Sendable {
        weak var value: (any CompassHandle)?
    }

    private let handle: Handle
    private let state = Locked(State())

    private let watch: @Sendable (any CompassHandle) -> any Sendable

    package init(handle: any CompassHandle, watch: @escaping @Sendable (any CompassHandle) -> any Sendable = { ConnectivityMonitor($0) }) {
        self.handle = Handle(value: handle)
        self.watch = watch
    }

    deinit { end() }

    /// Observes the app from now on, and begins with its present state. Blocks until the network is known, so that the first attempt knows
    /// whether it is metered.
    package func begin() {
        guard let handle = handle.value else { return }
        let center = NotificationCenter.default
        let tokens = [
            center.addObserver(forName: Self.willEnterForeground, object: nil, queue: nil) { [weak self] _ in self?.enterForeground() },
            center.addObserver(forName: Self.didEnterBackground, object: nil, queue: nil) { [weak self] _ in self?.enterBackground() },
        ]
        let network = watch(handle)
        state.withLock { ($0.observers, $0.network) = (tokens.map(Observer.init), network) }
        (network as? ConnectivityMonitor)?.waitForFirst()
        then { lifecycle in
            if await Self.inForeground() { await lifecycle.takeHold() }
        }
    }

    /// Ends observing. The hold is released with the handle.
    package func end() {
        // What is taken out is released outside the lock.
        let (observers, network, task) = state.withLock { state in
            state.ended = true
            defer { (state.observers, state.network) = ([], nil) }
            return (state.observers, state.network, state.latest)
        }
        observers.forEach { NotificationCenter.default.removeObserver($0.token) }
        withExtendedLifetime(network) {}
        task?.cancel()
    }

    /// Waits until the latest change of the app's state has been handled.
    package func settled() async {
        await state.withLock { $0.latest }?.value
    }

    package func enterForeground() {
        then { await $0.takeHold() }
    }

    private func takeHold() async {
        guard let handle = handle.value, state.withLock({ $0.hold == nil }) else { return }
        guard let hold = try? await handle.resume() else { return }
        state.withLock { $0.hold = hold }
        _ = try? await handle.refresh()
        try? await handle.startDelivery()
    }

    package func enterBackground() {
        then { lifecycle in
            guard let handle = lifecycle.handle.value else { return }
            let hold = lifecycle.state.withLock { state in
                defer { state.hold = nil }
                return state.hold
            }
            let lastFlush = Task { _ = try? await handle.flush(deadline: Self.lastFlush) }
            await Self.withBackgroundTime(cancel: lastFlush) {
                // Cancelled when the app is already back in the foreground: then this must end soon.
                await withTaskCancellationHandler { await lastFlush.value } onCancel: { lastFlush.cancel() }
                await hold?.release()
            }
        }
    }

    /// Runs `work` after the current work, which is cancelled: one at a time, in the order of the calls.
    private func then(_ work: @escaping @Sendable (AppLifecycle) async -> Void) {
        state.withLock { state in
            if state.ended { return }
            let before = state.latest
            before?.cancel()
            state.latest = Task.detached { [weak self] in
                await before?.value
                if let self { await work(self) }
            }
        }
    }

    /// Keeps the process from being suspended while `work` runs; cancels `cancel` when the system's time is up.
    private static func withBackgroundTime(cancel: Task<Void, Never>, _ work: @escaping @Sendable () async -> Void) async {
        #if os(iOS) || os(tvOS) || os(visionOS)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let once = Locked(false)
            ProcessInfo.processInfo.performExpiringActivity(withReason: "Compass delivers what is due") { expired in
                if expired { cancel.cancel() }
                // The system calls this once, and again when the time is up, on a thread that may be blocked.
                if once.withLock({ begun in defer { begun = true }; return begun }) { return }
                let done = DispatchSemaphore(value: 0)
                Task.detached {
                    await work()
                    done.signal()
                }
                done.wait()
                continuation.resume()
            }
        }
        #else
        await work()
        #endif
    }

    private static func inForeground() async -> Bool {
        #if canImport(UIKit) && !os(watchOS)
        // A process that was started for a background job opens the database too.
        return await MainActor.run { UIApplication.shared.applicationState != .background }
        #else
        return true
        #endif
    }
}
