import FieldSampleModels
import SwiftUI

/// A button over the whole width, high enough for a glove; the main one of a screen is higher and filled, and stands in its foot.
struct BigButton: View {
    let title: Phrase
    var sign: String?
    /// What it is about, where a screen has several of its kind: a screen reader says it, too.
    var about: String?
    var isMain = false
    var isDestructive = false
    let act: @MainActor () -> Void

    init(
        _ id: TextId, sign: String? = nil, about: String? = nil, isMain: Bool = false, isDestructive: Bool = false,
        act: @escaping @MainActor () -> Void
    ) {
        self.init(.message(id, []), sign: sign, about: about, isMain: isMain, isDestructive: isDestructive, act: act)
    }

    init(
        _ title: Phrase, sign: String? = nil, about: String? = nil, isMain: Bool = false, isDestructive: Bool = false,
        act: @escaping @MainActor () -> Void
    ) {
        (self.title, self.sign, self.about, self.isMain, self.isDestructive, self.act) = (title, sign, about, isMain, isDestructive, act)
    }

    var body: some View {
        if isMain { button.buttonStyle(MainStyle()) } else { button.buttonStyle(PlainStyle()) }
    }

    private var button: some View {
        Button(role: isDestructive ? .destructive : nil, action: act) {
            HStack {
                if let sign { Sign(sign) }
                Words(title).bold()
            }
        }
        .spoken(about.map { .message(.labelPair, [title, .plain($0)]) } ?? title)
    }
}

/// One of several, with a sign that says whether it is chosen.
struct ChosenButton: View {
    let name: Phrase
    /// What is being chosen.
    var about: String?
    let chosen: Bool
    let act: @MainActor () -> Void

    var body: some View {
        Button(action: act) {
            HStack {
                Sign(chosen ? "checkmark.circle.fill" : "circle")
                Words(name)
            }
            .frame(maxWidth: .infinity, alignment: .leading)
        }
        .buttonStyle(ChoiceStyle(chosen: chosen))
        .spoken(about.map { .message(.labelPair, [name, .plain($0)]) } ?? name)
        .accessibilityAddTraits(chosen ? .isSelected : [])
    }
}

/// A switch. The phone's own is too small for a glove, and its words do nothing; to a screen reader this is one like any other.
struct Switch: View {
    @Environment(\.phrases) private var phrases
    let title: Phrase
    let isOn: Bool
    let set: (Bool) -> Void

    init(_ title: Phrase, isOn: Bool, set: @escaping (Bool) -> Void) { (self.title, self.isOn, self.set) = (title, isOn, set) }
    init(_ id: TextId, isOn: Bool, set: @escaping (Bool) -> Void) { self.init(.message(id, []), isOn: isOn, set: set) }

    var body: some View {
        Button { set(!isOn) } label: {
            HStack {
                Words(title).frame(maxWidth: .infinity, alignment: .leading)
                Sign(isOn ? "checkmark.square.fill" : "square")
            }
        }
        .buttonStyle(ChoiceStyle(chosen: isOn))
        .accessibilityRepresentation { Toggle(phrases(title), isOn: Binding(get: { isOn }, set: { set($0) })) }
    }
}

/// The main action of a screen.
struct MainStyle: ButtonStyle {
    func makeBody(configuration: Configuration) -> some View { MainFace(face: configuration) }
}

/// Any other action.
struct PlainStyle: ButtonStyle {
    func makeBody(configuration: Configuration) -> some View { PlainFace(face: configuration) }
}

/// What can be chosen.
struct ChoiceStyle: ButtonStyle {
    let chosen: Bool

    func makeBody(configuration: Configuration) -> some View { ChoiceFace(face: configuration, chosen: chosen) }
}

/// A card that leads somewhere.
struct CardStyle: ButtonStyle {
    func makeBody(configuration: Configuration) -> some View { CardFace(face: configuration) }
}

// Faces are views of their own, since what they inherit is known only there.

private struct MainFace: View {
    @Environment(\.theme) private var theme
    @Environment(\.isEnabled) private var isEnabled
    let face: ButtonStyleConfiguration

    var body: some View {
        let danger = face.role == .destructive
        let ground = !isEnabled ? theme.tint : danger ? theme.badGround : theme.accent
        let ink = !isEnabled ? theme.quietInk : danger ? theme.bad : theme.onAccent
        face.label.font(.title3).shaped(ink, ground, border: isEnabled && !danger ? theme.accent : ink, least: Sizes.main, face)
    }
}

private struct PlainFace: View {
    @Environment(\.theme) private var theme
    @Environment(\.isEnabled) private var isEnabled
    let face: ButtonStyleConfiguration

    var body: some View {
        let ink = !isEnabled ? theme.quietInk : face.role == .destructive ? theme.bad : theme.accent
        face.label.shaped(ink, theme.card, border: isEnabled ? ink : theme.line, least: Sizes.target, face)
    }
}

private struct ChoiceFace: View {
    @Environment(\.theme) private var theme
    @Environment(\.isEnabled) private var isEnabled
    let face: ButtonStyleConfiguration
    let chosen: Bool

    var body: some View {
        face.label.shaped(
            isEnabled ? theme.ink : theme.quietInk, chosen ? theme.tint : theme.card, border: chosen ? theme.accent : theme.line,
            least: Sizes.target, face)
    }
}

private struct CardFace: View {
    @Environment(\.theme) private var theme
    let face: ButtonStyleConfiguration

    var body: some View {
        HStack {
            VStack(alignment: .leading, spacing: 8) { face.label }.frame(maxWidth: .infinity, alignment: .leading)
            Sign("chevron.forward")
        }
        .shaped(theme.ink, theme.card, border: theme.line, least: Sizes.target, face)
    }
}

extension View {
    /// All of it can be tapped, also between the words.
    fileprivate func shaped(_ ink: Shade, _ ground: Shade, border: Shade, least: Double, _ face: ButtonStyleConfiguration) -> some View {
        modifier(Shaped(ink: ink, ground: ground, border: border, least: least, pressed: face.isPressed))
    }
}

private struct Shaped: ViewModifier {
    @Environment(\.theme) private var theme
    let ink: Shade
    let ground: Shade
    let border: Shade
    let least: Double
    let pressed: Bool

    func body(content: Content) -> some View {
        content
            .foregroundStyle(Color(ink))
            .padding(.horizontal, 16)
            .padding(.vertical, 8)
            .frame(maxWidth: .infinity, minHeight: least)
            .background(Color(ground), in: RoundedRectangle(cornerRadius: 16))
            .overlay { RoundedRectangle(cornerRadius: 16).strokeBorder(Color(border), lineWidth: pressed ? 4 : theme.lineWidth) }
            .contentShape(Rectangle())
    }
}
