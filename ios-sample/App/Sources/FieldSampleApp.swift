import FieldSampleModels
import SwiftUI

@main
struct FieldSampleApp: App {
    @UIApplicationDelegateAdaptor(AppDelegate.self) private var delegate
    @State private var screens: OpenScreens?
    @State private var failed = false

    var body: some Scene {
        WindowGroup {
            if let screens {
                RootView(screens: screens)
            } else if failed {
                VStack {
                    Words(.failureOther).padding()
                    BigButton(.buttonContinue) { failed = false }
                }
            } else {
                Words(.statusOpening).task { await open() }
            }
        }
    }

    private func open() async {
        do {
            let phone = try await Phone.shared.opened()
            screens = OpenScreens(
                Workplace(gateway: phone.gateway, navigator: Navigator(phone.place), preferences: DefaultsStore(), vault: phone.vault))
        } catch {
            // Before the first unlock of the phone, for instance.
            failed = true
        }
    }
}

final class AppDelegate: NSObject, UIApplicationDelegate {
    func application(
        _ application: UIApplication, didFinishLaunchingWithOptions launchOptions: [UIApplication.LaunchOptionsKey: Any]?
    ) -> Bool {
        // Before the launch ends, also in a process that was started for it.
        Phone.shared.registerBackgroundDelivery()
        return true
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
    /// The screen stays on while this is shown, if the technician wants it.
    func keepingScreenOn(_ on: Bool) -> some View {
        onAppear { UIApplication.shared.isIdleTimerDisabled = on }.onDisappear { UIApplication.shared.isIdleTimerDisabled = false }
    }
}
