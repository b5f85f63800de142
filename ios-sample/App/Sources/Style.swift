import FieldSampleModels
import SwiftUI

// What every view inherits: the words of the language, the colours of the theme, the line that is being typed in.

private struct PhrasesKey: EnvironmentKey {
    static let defaultValue = Phrases(locale: .current, zone: .current, messages: BundleMessages())
}
private struct ThemeKey: EnvironmentKey { static let defaultValue = Theme.light }
private struct OpenLineKey: EnvironmentKey { static let defaultValue: OpenLine? = nil }

extension EnvironmentValues {
    /// Makes strings of phrases in the language of the phone.
    var phrases: Phrases {
        get { self[PhrasesKey.self] }
        set { self[PhrasesKey.self] = newValue }
    }

    var theme: Theme {
        get { self[ThemeKey.self] }
        set { self[ThemeKey.self] = newValue }
    }

    var openLine: OpenLine? {
        get { self[OpenLineKey.self] }
        set { self[OpenLineKey.self] = newValue }
    }
}

/// The app's String Catalog.
struct BundleMessages: Messages {
    func template(_ id: TextId) -> String { Bundle.main.localizedString(forKey: id.key, value: nil, table: nil) }

    func counted(_ id: CountId, _ count: Int) -> String {
        // The catalog gives a format that knows its plurals.
        String(format: Bundle.main.localizedString(forKey: id.key, value: nil, table: nil), locale: .current, count)
    }
}

extension Color {
    init(_ shade: Shade) { self.init(.sRGB, red: shade.red, green: shade.green, blue: shade.blue, opacity: 1) }
}

extension View {
    /// In the colours that the setting, the phone's dark mode and its own setting for more contrast ask for.
    func themed(strong: Bool) -> some View { modifier(Themed(strong: strong)) }

    func ink(_ shade: KeyPath<Theme, Shade>) -> some View { modifier(Inked(shade: shade)) }

    /// What a screen reader says instead of what is shown.
    func spoken(_ words: Phrase) -> some View { modifier(Spoken(words: words)) }

    /// Says these words through the screen reader whenever they change; its focus stays where it is.
    func announcing(_ words: Phrase?) -> some View { modifier(Announcing(words: words)) }
}

private struct Themed: ViewModifier {
    @Environment(\.colorScheme) private var scheme
    @Environment(\.colorSchemeContrast) private var contrast
    let strong: Bool

    func body(content: Content) -> some View {
        content.environment(\.theme, Theme.of(dark: scheme == .dark, strong: strong || contrast == .increased))
    }
}

private struct Inked: ViewModifier {
    @Environment(\.theme) private var theme
    let shade: KeyPath<Theme, Shade>

    func body(content: Content) -> some View { content.foregroundStyle(Color(theme[keyPath: shade])) }
}

private struct Spoken: ViewModifier {
    @Environment(\.phrases) private var phrases
    let words: Phrase

    func body(content: Content) -> some View { content.accessibilityLabel(Text(verbatim: phrases(words))) }
}

private struct Announcing: ViewModifier {
    @Environment(\.phrases) private var phrases
    let words: Phrase?

    func body(content: Content) -> some View {
        content.onChange(of: words) { _, now in
            if let now { AccessibilityNotification.Announcement(phrases(now)).post() }
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
