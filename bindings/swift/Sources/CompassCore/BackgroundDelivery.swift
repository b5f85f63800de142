#if canImport(BackgroundTasks) && os(iOS)
import BackgroundTasks
import Foundation

/// Delivers while the app is not running, in a task of `BGTaskScheduler`. Also in a process that was started for it.
///
/// Register before the launch ends; the identifier stands in `BGTaskSchedulerPermittedIdentifiers` of the app's `Info.plist`.
///
/// ```swift
/// func application(_ application: UIApplication, didFinishLaunchingWithOptions options: [UIApplication.LaunchOptionsKey: Any]?) -> Bool {
///     BackgroundDelivery.register(identifier: "com.example.deliver") { try await MyApp.compass() }
///     return true
/// }
/// ```
public final class BackgroundDelivery: Sendable {
    private let identifier: String
    private let open: @Sendable () async throws -> any CompassHandle
    private let asked = Locked(BackgroundPlan.nothing)

    private init(identifier: String, open: @escaping @Sendable () async throws -> any CompassHandle) {
        self.identifier = identifier
        self.open = open
    }

    /// Registers the task, and asks for it whenever the app leaves the foreground.
    ///
    /// - Parameter open: Gives the app's one handle, opening it if need be.
    /// - Returns: Keep it if you want to ask for the task at other times too.
    @discardableResult
    public static func register(
        identifier: String, open: @escaping @Sendable () async throws -> any CompassHandle
    ) -> BackgroundDelivery {
        let delivery = BackgroundDelivery(identifier: identifier, open: open)
        BGTaskScheduler.shared.register(forTaskWithIdentifier: identifier, using: nil) { task in delivery.run(task) }
        _ = NotificationCenter.default.addObserver(forName: AppLifecycle.didEnterBackground, object: nil, queue: nil) { _ in
            Task { await delivery.schedule() }
        }
        return delivery
    }

    /// Asks the system for the task, if something waits and the task moves earlier by it.
    public func schedule() async {
        guard let compass = try? await open(), let due = try? await compass.nextDue() else { return }
        let plan = BackgroundPlan(due, now: Date())
        guard plan.moves(asked.withLock { $0 }), case .job(let moment) = plan else { return }
        let request = BGProcessingTaskRequest(identifier: identifier)
        request.requiresNetworkConnectivity = true
        request.earliestBeginDate = moment
        if (try? BGTaskScheduler.shared.submit(request)) != nil { asked.withLock { $0 = plan } }
    }

    // Unchecked: the system's object may be finished from any thread, which its declaration does not say.
    private struct Running: @unchecked Sendable {
        let task: BGTask
    }

    private func run(_ task: BGTask) {
        let running = Running(task: task)
        let work = Task {
            asked.withLock { $0 = .nothing }
            var delivered = false
            if let compass = try? await open() { delivered = await BackgroundJob.run(compass) }
            running.task.setTaskCompleted(success: delivered)
            // Only now: asking for a task that runs would end it. In a task of its own, since this one may be cancelled.
            await Task.detached { await self.schedule() }.value
        }
        task.expirationHandler = { work.cancel() }
    }
}
#endif
