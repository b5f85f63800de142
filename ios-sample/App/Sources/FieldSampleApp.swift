import FieldSampleModels
import SwiftUI

@main
struct FieldSampleApp: App {
    @UIApplicationDelegateAdaptor(AppDelegate.self) private var delegate

    var body: some Scene {
        WindowGroup { OpeningView(model: delegate.opening) }
    }
}

/// The app, once its database is open.
struct OpeningView: View {
    let model: OpeningModel

    var body: some View {
        if let screens = model.screens {
            RootView(screens: screens)
        } else {
            Page(.message(.statusOpening, []), hasFoot: model.failure != nil) {
                if let failure = model.failure { Badge(failure, "exclamationmark.triangle", .bad) }
            } foot: {
                BigButton(.buttonTryAgain, isMain: true) { Task { await model.retry() } }
            }
            .announcing(model.failure)
            .themed(strong: false)
            .dynamicTypeSize(TextSize.normal.least...)
            .task { await model.retry() }
        }
    }
}

final class AppDelegate: NSObject, UIApplicationDelegate {
    let opening = OpeningModel(AppDelegate.open)

    private static func open() async throws -> Workplace {
        let phone = try await Phone.shared.opened()
        return Workplace(
            gateway: phone.gateway, navigator: Navigator(phone.place), preferences: DefaultsStore(), vault: phone.vault,
            attachments: try? Attachments.folder())
    }

    func application(
        _ application: UIApplication, didFinishLaunchingWithOptions launchOptions: [UIApplication.LaunchOptionsKey: Any]?
    ) -> Bool {
        // Before the launch ends, also in a process that was started for it.
        Phone.shared.registerBackgroundDelivery()
        return true
    }

    /// The phone was unlocked.
    func applicationProtectedDataDidBecomeAvailable(_ application: UIApplication) {
        Task { await opening.retryIfItFailed() }
    }
}

/// Preferences in the phone's own store.
struct DefaultsStore: PreferenceStore {
    func load() -> Preferences {
        guard let data = UserDefaults.standard.data(forKey: "preferences") else { return Preferences() }
        return (try? JSONDecoder().decode(Preferences.self, from: data)) ?? Preferences()
    }

    func save(_ preferences: Preferences) { UserDefaults.standard.set(try? JSONEncoder().encode(preferences), forKey: "preferences") }
}

extension Workplace {
    /// A phone at work, for previews.
    @MainActor static var preview: Workplace {
        let store = MemoryStore()
        return Workplace(gateway: FakeGateway(), navigator: Navigator(), preferences: store, vault: store)
    }
}

extension View {
    /// The phone does not go dark by itself while this is so.
    func keepingScreenOn(_ on: Bool) -> some View {
        onAppear { UIApplication.shared.isIdleTimerDisabled = on }.onChange(of: on) { UIApplication.shared.isIdleTimerDisabled = $1 }
    }
}
