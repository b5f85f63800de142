import FieldSampleModels
import SwiftUI

/// The strip, the screen that is shown, and the four roots, which are always one tap away.
struct RootView: View {
    let screens: OpenScreens
    @Bindable private var navigator: Navigator

    init(screens: OpenScreens) {
        self.screens = screens
        navigator = screens.work.navigator
    }

    private var work: Workplace { screens.work }

    var body: some View {
        VStack(spacing: 0) {
            StatusStrip(model: screens.status)
            NavigationStack(path: $navigator.path) {
                screen(navigator.root).navigationDestination(for: Screen.self) { screen($0) }
            }
            .id(navigator.root)
            HStack {
                ForEach(Screen.roots, id: \.self) { root in
                    Button { navigator.open(root) } label: {
                        VStack {
                            Image(systemName: root.sign)
                            Words(root.title)
                        }
                        .frame(maxWidth: .infinity, minHeight: Size.target)
                    }
                    .accessibilityAddTraits(navigator.root == root ? .isSelected : [])
                }
            }
        }
        .dynamicTypeSize(work.preferences.textSize.least...)
        .tint(work.preferences.highContrast ? Color.primary : Color.accentColor)
    }

    @ViewBuilder private func screen(_ screen: Screen) -> some View {
        switch screens.model(of: screen) {
        case .workflows(let model): WorkflowsView(model: model)
        case .sessions(let model): SessionsView(model: model)
        case .outbox(let model): OutboxView(model: model)
        case .settings(let model): SettingsView(model: model)
        case .workflow(let model): WorkflowView(model: model)
        case .session(let model): SessionScreen(model: model, keepOn: work.preferences.keepScreenOn)
        case .review(let model): ReviewView(model: model)
        case .record(let model): RecordView(model: model)
        }
    }
}

extension Screen {
    fileprivate var sign: String {
        switch self {
        case .sessions: "clock"
        case .outbox: "tray.and.arrow.up"
        case .settings: "gearshape"
        default: "list.bullet.rectangle"
        }
    }

    fileprivate var title: TextId {
        switch self {
        case .sessions: .tabSessions
        case .outbox: .tabOutbox
        case .settings: .tabSettings
        default: .tabWorkflows
        }
    }
}

/// A sign, words and a number, on every screen. A tap opens the outbox.
struct StatusStrip: View {
    let model: StatusModel

    var body: some View {
        Button { model.open() } label: {
            HStack {
                Image(systemName: sign)
                VStack(alignment: .leading) {
                    Words(model.words)
                    if let attention = model.attention { Words(attention).bold() }
                    if model.simulated { Words(.statusSimulated) }
                }
                Spacer()
            }
            .frame(maxWidth: .infinity, minHeight: Size.target)
        }
        .accessibilityAddTraits(.updatesFrequently)
    }

    private var sign: String {
        switch model.sign {
        case .opening: "hourglass"
        case .noSignal: "wifi.slash"
        case .waiting: "arrow.up.circle"
        case .allSent: "checkmark.circle"
        case .needsPerson: "exclamationmark.triangle"
        }
    }
}

#Preview { RootView(screens: OpenScreens(.preview)) }
