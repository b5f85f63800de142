import FieldSampleModels
import SwiftUI

/// The strip, the screen that is shown, and the four roots, which are always one tap away.
struct RootView: View {
    let work: Workplace
    @Bindable private var navigator: Navigator
    @State private var status: StatusModel
    /// Where the technician was when the process died.
    @SceneStorage("screens") private var saved = ""
    @State private var restored = false

    init(work: Workplace) {
        self.work = work
        navigator = work.navigator
        _status = State(initialValue: StatusModel(work))
    }

    var body: some View {
        VStack(spacing: 0) {
            StatusStrip(model: status)
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
        .onAppear {
            if !restored { navigator.restore(saved) }
            restored = true
        }
        .onChange(of: navigator.saved) { _, now in saved = now }
    }

    @ViewBuilder private func screen(_ screen: Screen) -> some View {
        switch screen {
        case .workflows: WorkflowsView(model: WorkflowsModel(work))
        case .sessions: SessionsView(model: SessionsModel(work))
        case .outbox: OutboxView(model: OutboxModel(work))
        case .settings: SettingsView(model: SettingsModel(work))
        case .workflow(let key): WorkflowView(model: WorkflowModel(key, work))
        case .session(let key): SessionScreen(model: SessionModel(key, work), keepOn: work.preferences.keepScreenOn)
        case .review(let key): ReviewView(model: ReviewModel(key, work))
        case .record(let key): RecordView(model: RecordModel(key, work))
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

#Preview { RootView(work: .preview) }
