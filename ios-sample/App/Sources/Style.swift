import FieldSampleModels
import SwiftUI

/// Sizes for gloves and sunlight: targets of 56 points and more, 64 for the main action, text from 18 points up.
enum Size {
    static let target: CGFloat = 56
    static let main: CGFloat = 64
}

extension EnvironmentValues {
    /// Makes strings of phrases in the language of the phone.
    @Entry var phrases = Phrases(locale: .current, zone: .current, messages: BundleMessages())
}

/// The app's String Catalog.
struct BundleMessages: Messages {
    func template(_ id: TextId) -> String { Bundle.main.localizedString(forKey: id.key, value: nil, table: nil) }

    func counted(_ id: CountId, _ count: Int) -> String {
        // The catalog gives a format that knows its plurals.
        String(format: Bundle.main.localizedString(forKey: id.key, value: nil, table: nil), locale: .current, count)
    }
}

/// A phrase as text.
struct Words: View {
    @Environment(\.phrases) private var phrases
    let words: Phrase

    init(_ words: Phrase) { self.words = words }
    init(_ id: TextId) { words = .message(id, []) }

    var body: some View { Text(verbatim: phrases(words)) }
}

/// A heading, which a screen reader can jump to.
struct Heading: View {
    let id: TextId

    var body: some View {
        Words(id).font(.headline).accessibilityAddTraits(.isHeader)
    }
}

/// A button over the whole width, high enough for a glove; the main one of a screen is higher and filled.
struct BigButton: View {
    @Environment(\.phrases) private var phrases
    let title: Phrase
    var isMain = false
    var isDestructive = false
    let act: () -> Void

    init(_ id: TextId, isMain: Bool = false, isDestructive: Bool = false, act: @escaping () -> Void) {
        self.init(.message(id, []), isMain: isMain, isDestructive: isDestructive, act: act)
    }

    init(_ title: Phrase, isMain: Bool = false, isDestructive: Bool = false, act: @escaping () -> Void) {
        (self.title, self.isMain, self.isDestructive, self.act) = (title, isMain, isDestructive, act)
    }

    var body: some View {
        Button(role: isDestructive ? .destructive : nil, action: act) {
            Text(verbatim: phrases(title)).font(.title3).frame(maxWidth: .infinity, minHeight: isMain ? Size.main : Size.target)
        }
        .tint(isMain ? Color.accentColor : Color.secondary)
        .buttonStyle(.borderedProminent)
    }
}

extension View {
    /// Says something once: as an alert, which a screen reader announces and which waits for a tap.
    func notice(_ notice: Binding<Notice?>) -> some View { modifier(NoticeShown(notice: notice)) }

    func minimumTarget() -> some View { frame(minHeight: Size.target) }
}

private struct NoticeShown: ViewModifier {
    @Environment(\.phrases) private var phrases
    @Binding var notice: Notice?

    func body(content: Content) -> some View {
        content.safeAreaInset(edge: .bottom) {
            if let shown = notice {
                Button { notice = nil } label: {
                    Label {
                        Words(shown.words)
                    } icon: {
                        Image(systemName: shown.failed ? "exclamationmark.triangle" : "checkmark.circle")
                    }
                    .frame(maxWidth: .infinity, minHeight: Size.target)
                }
                .buttonStyle(.bordered)
                .onAppear { AccessibilityNotification.Announcement(phrases(shown.words)).post() }
            }
        }
    }
}

/// What the technician chose of the text's size, over what the phone says.
extension TextSize {
    var least: DynamicTypeSize {
        switch self {
        // Body text of 18 points and more.
        case .normal: .xLarge
        case .large: .xxxLarge
        case .largest: .accessibility2
        }
    }

    var name: TextId {
        switch self {
        case .normal: .labelSizeNormal
        case .large: .labelSizeLarge
        case .largest: .labelSizeLargest
        }
    }
}
