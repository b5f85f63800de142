#if canImport(BackgroundTasks) && os(iOS)
import BackgroundTasks
import Foundation

/// Delivers while the app is not running, in tasks of `BGTaskScheduler`. Also in a process that was started for one.
///
/// It requests two tasks: an app refresh, which the system grants more often, and a processing task, which mostly runs when the phone is
/// not used. Register before the launch ends. Both identifiers, `identifier` and `identifier` with `.refresh`, must be listed in
/// `BGTaskSchedulerPermittedIdentifiers` of the app's `Info.plist`, and `processing` and `fetch` in `UIBackgroundModes`. ``CompassLog``
/// shows what the system refuses.
///
/// ```swift
/// func application(_ application: UIApplication, didFinishLaunchingWithOptions options: [UIApplication.LaunchOptionsKey: Any]?) -> Bool {
///     BackgroundDelivery.register(identifier: "com.example.deliver", for: MyApp.compass)
///     return true
/// }
/// ```
public final class BackgroundDelivery: Sendable {
    private let compass: any CompassHandle
    private let requests: BackgroundRequests

    private init(identifier: String, compass: any CompassHandle) {
        self.compass = compass
        requests = BackgroundRequests { kind, moment in
            let request: BGTaskRequest
            switch kind {
            case .refresh:
                request = BGAppRefreshTaskRequest(identifier: kind.identifier(of: identifier))
            case .processing:
                let processing = BGProcessingTaskRequest(identifier: kind.identifier(of: identifier))
                processing.requiresNetworkConnectivity = true
                request = processing
            }
            request.earliestBeginDate = moment
            try BGTaskScheduler.shared.submit(request)
        }
    }

    /// Registers the tasks, and requests them each time the app leaves the foreground.
    ///
    /// - Parameter compass: The app's one handle; a lazy one is opened when a task needs it.
    /// - Returns: Keep it if you want to request the tasks at other times too.
    @discardableResult
    public static func register(identifier: String, for compass: any CompassHandle) -> BackgroundDelivery {
        let delivery = BackgroundDelivery(identifier: identifier, compass: compass)
        for kind in BackgroundRequests.Kind.allCases {
            let name = kind.identifier(of: identifier)
            let taken = BGTaskScheduler.shared.register(forTaskWithIdentifier: name, using: nil) { task in delivery.run(kind, task) }
            if !taken { BackgroundRequests.refused("register", name, nil) }
        }
        _ = NotificationCenter.default.addObserver(forName: AppLifecycle.didEnterBackground, object: nil, queue: nil) { _ in
            Task { await delivery.schedule() }
        }
        return delivery
    }

    /// Requests the tasks from the system, if messages wait and a task moves earlier by it.
    public func schedule() async {
        await requests.ask(for: compass)
    }

    // Unchecked: the system's object may be finished from any thread, which its declaration does not say.
    private struct Running: @unchecked Sendable {
        let task: BGTask
    }

    private func run(_ kind: BackgroundRequests.Kind, _ task: BGTask) {
        let running = Running(task: task)
        let work = Task {
            requests.began(kind)
            running.task.setTaskCompleted(success: await BackgroundJob.run(compass))
            // Only now: requesting a task that runs would end it. In a task of its own, because this one may be cancelled.
            await Task.detached { await self.schedule() }.value
        }
        task.expirationHandler = { work.cancel() }
    }
}
#endif
