import CompassCoreFakes
import FieldSampleExamples
import FieldSampleModels
import SwiftUI

@main
struct FieldSampleApp: App {
    @UIApplicationDelegateAdaptor(AppDelegate.self) private var delegate

    var body: some Scene {
        WindowGroup { OpeningView(model: delegate.opening) }
    }
}

/// The app, once its database is open; before, why it is not and what can be done.
struct OpeningView: View {
    @Bindable var model: OpeningModel
    @State private var line = OpenLine()
    @State private var choosingBackup = false

    var body: some View {
        if let screens = model.screens {
            RootView(screens: screens)
        } else {
            Page(.message(.statusOpening, []), notice: $model.notice, hasFoot: model.failure != nil) {
                if let failure = model.failure { Badge(failure, "exclamationmark.triangle", .bad) }
                rescue
            } foot: {
                BigButton(.buttonTryAgain, isMain: true) { Task { await model.retry() } }
            }
            .panel(model.question, close: { model.dismissQuestion() }) { DataPanel(question: $0, opens: false, model: model) }
            .announcing(model.failure)
            .environment(\.openLine, line)
            .themed(strong: false)
            .dynamicTypeSize(TextSize.normal.least...)
            .task { await model.retry() }
        }
    }

    @ViewBuilder private var rescue: some View {
        if model.canReplace { Words(.labelDamaged) }
        if model.canSave { BigButton(.buttonSaveReadable, sign: "externaldrive") { model.save() }.disabled(model.saving) }
        if let saved = model.saved {
            Card {
                Words(saved.unsent).bold()
                if let gaps = saved.gaps { Words(gaps) }
                Words(.labelSavedHint)
                ShareButton(file: saved.file)
            }
        }
        if model.canReplace {
            BigButton(.buttonPutBackCopy, sign: "arrow.uturn.backward") { choosingBackup = true }
                .choosingBackup($choosingBackup, model)
            BigButton(.buttonStartOver, sign: "trash", isDestructive: true) { model.eraseEverything() }
        }
    }
}

final class AppDelegate: NSObject, UIApplicationDelegate {
    let opening = OpeningModel(AppDelegate.prepare)

    private static func prepare() async throws -> Workplace {
        let phone = Phone.shared
        let places = try phone.places()
        return Workplace(
            compass: phone.compass, network: phone.network, database: phone.database, navigator: Navigator(places.place),
            preferences: DefaultsStore(), vault: phone.vault, exports: places.exports, attachments: try? Attachments.folder())
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
        let store = MemoryStore(), fake = FakeCompass(.atWork)
        return Workplace(compass: fake, database: FakeDatabase(fake), navigator: Navigator(), preferences: store, vault: store)
    }
}

extension View {
    /// The phone does not go dark by itself while this is so.
    func keepingScreenOn(_ on: Bool) -> some View {
        onAppear { UIApplication.shared.isIdleTimerDisabled = on }.onChange(of: on) { UIApplication.shared.isIdleTimerDisabled = $1 }
    }
}
