import FieldSampleModels
import SwiftUI

/// The strip, the screen that is shown, and on the roots the way to the other roots.
struct RootView: View {
    let screens: OpenScreens
    @Bindable private var navigator: Navigator
    @State private var line = OpenLine()

    init(screens: OpenScreens) {
        self.screens = screens
        navigator = screens.work.navigator
    }

    private var work: Workplace { screens.work }

    var body: some View {
        Ground {
            StatusStrip(model: screens.status)
            NavigationStack(path: $navigator.path) {
                screen(navigator.root).navigationDestination(for: Screen.self) { screen($0) }
            }
            .id(navigator.root)
            if navigator.path.isEmpty, !line.isOpen { TabBar(root: navigator.root) { navigator.open($0) } }
        }
        .themed(strong: work.preferences.highContrast)
        .environment(\.openLine, line)
        .dynamicTypeSize(work.preferences.textSize.least...)
        .keepingScreenOn(work.keepsScreenOn)
    }

    @ViewBuilder private func screen(_ screen: Screen) -> some View {
        switch screens.model(of: screen) {
        case .workflows(let model): WorkflowsView(model: model)
        case .sessions(let model): SessionsView(model: model)
        case .outbox(let model): OutboxView(model: model)
        case .settings(let model): SettingsView(model: model)
        case .workflow(let model): WorkflowView(model: model)
        case .session(let model): SessionView(model: model)
        case .review(let model): ReviewView(model: model)
        case .record(let model): RecordView(model: model)
        }
    }
}

/// What everything stands on.
private struct Ground<Content: View>: View {
    @Environment(\.theme) private var theme
    private let content: Content

    init(@ViewBuilder content: () -> Content) { self.content = content() }

    var body: some View {
        VStack(spacing: 0) { content }.foregroundStyle(Color(theme.ink)).tint(Color(theme.accent)).background(Color(theme.page))
    }
}

/// The four roots: side by side, two by two, or one below the other, as the words have room.
private struct TabBar: View {
    let root: Screen
    let open: (Screen) -> Void

    var body: some View {
        ViewThatFits(in: .horizontal) {
            row(Screen.roots)
            VStack(spacing: 4) {
                row(Screen.roots.prefix(2))
                row(Screen.roots.suffix(2))
            }
            VStack(spacing: 4) { ForEach(Screen.roots, id: \.self) { row([$0]) } }
        }
        .padding(.horizontal, 8)
        .padding(.vertical, 4)
    }

    private func row(_ roots: some RandomAccessCollection<Screen>) -> some View {
        HStack(spacing: 4) {
            ForEach(roots, id: \.self) { screen in
                Button { open(screen) } label: {
                    VStack(spacing: 2) {
                        Sign(screen.sign)
                        Words(screen.title)
                    }
                }
                .buttonStyle(TabStyle(chosen: root == screen))
                .accessibilityAddTraits(root == screen ? .isSelected : [])
            }
        }
    }
}

private struct TabStyle: ButtonStyle {
    let chosen: Bool

    func makeBody(configuration: Configuration) -> some View { TabFace(face: configuration, chosen: chosen) }
}

private struct TabFace: View {
    @Environment(\.theme) private var theme
    let face: ButtonStyleConfiguration
    let chosen: Bool

    var body: some View {
        face.label
            .font(.callout)
            .foregroundStyle(Color(chosen ? theme.accent : theme.ink))
            .padding(4)
            .frame(maxWidth: .infinity, minHeight: Sizes.target)
            .background(Color(chosen ? theme.tint : theme.page), in: RoundedRectangle(cornerRadius: 12))
            .overlay {
                if chosen { RoundedRectangle(cornerRadius: 12).strokeBorder(Color(theme.accent), lineWidth: theme.lineWidth) }
            }
            .contentShape(Rectangle())
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

struct RootPreviews: PreviewProvider {
    static var previews: some View { RootView(screens: OpenScreens(.preview)) }
}
