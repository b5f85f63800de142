import FieldSampleModels
import SwiftUI

/// A screen, or a sheet: its title and the way back, what it shows, a notice, and its actions at the bottom, where a thumb is.
struct Page<Content: View, Foot: View>: View {
    @Environment(\.theme) private var theme
    @Environment(\.dynamicTypeSize) private var textSize
    @Environment(\.verticalSizeClass) private var height
    @Environment(\.openLine) private var line
    private let title: Phrase
    private let notice: Binding<Notice?>
    private let wayBack: WayBack?
    private let menu: (@MainActor () -> Void)?
    private let hasFoot: Bool
    private let isLong: Bool
    private let isStill: Bool
    private let content: Content
    private let foot: Foot

    /// `menu`: opens what is seldom needed. `isLong`: the foot would leave too little of the screen. `isStill`: it is drawn on, and must not
    /// slide away under the finger.
    init(
        _ title: Phrase, notice: Binding<Notice?> = .constant(nil), back: WayBack? = nil,
        menu: (@MainActor () -> Void)? = nil, hasFoot: Bool = true, isLong: Bool = false, isStill: Bool = false,
        @ViewBuilder content: () -> Content, @ViewBuilder foot: () -> Foot
    ) {
        (self.title, self.notice, wayBack, self.menu, self.hasFoot) = (title, notice, back, menu, hasFoot)
        (self.isLong, self.isStill, self.content, self.foot) = (isLong, isStill, content(), foot())
    }

    /// With very large text, or in a low window, the title and the foot scroll along: what they take is missing above and below.
    private var isTight: Bool { textSize.isAccessibilitySize || height == .compact }

    var body: some View {
        VStack(spacing: 0) {
            if !isTight { PageBar(title: title, back: wayBack, menu: menu) }
            ScrollView {
                VStack(alignment: .leading, spacing: 16) {
                    if isTight { PageBar(title: title, back: wayBack, menu: menu) }
                    content
                    if hasFoot, isTight || isLong { PageFoot { foot } }
                }
                .padding(16)
                .frame(maxWidth: .infinity, alignment: .leading)
            }
            .scrollDismissesKeyboard(.interactively)
            // With the keyboard, or very large text, not all of it can be seen at once.
            .scrollDisabled(isStill && !isTight && !(line?.isOpen ?? false))
            NoticeBar(notice: notice)
            if let line, line.isOpen {
                // Pads of digits have no key that closes them; and the keyboard takes the room.
                PageFoot { BigButton(.buttonDone, sign: "keyboard.chevron.compact.down") { line.close() } }
            } else if hasFoot, !isTight, !isLong {
                PageFoot { foot }
            }
        }
        .foregroundStyle(Color(theme.ink))
        .tint(Color(theme.accent))
        .background(Color(theme.page))
        .toolbar(.hidden, for: .navigationBar)
    }
}

extension Page where Foot == EmptyView {
    init(
        _ title: Phrase, notice: Binding<Notice?> = .constant(nil), back: WayBack? = nil, menu: (@MainActor () -> Void)? = nil,
        @ViewBuilder content: () -> Content
    ) {
        self.init(title, notice: notice, back: back, menu: menu, hasFoot: false, content: content) { EmptyView() }
    }
}

/// How a screen is left.
struct WayBack {
    var words = TextId.buttonBack
    var sign = "chevron.backward"
    let act: @MainActor () -> Void
}

private struct PageBar: View {
    let title: Phrase
    let back: WayBack?
    let menu: (@MainActor () -> Void)?

    var body: some View {
        HStack(spacing: 8) {
            if let back {
                BarButton(words: back.words, sign: back.sign, act: back.act)
            }
            Words(title).font(.title2).bold().accessibilityAddTraits(.isHeader)
                .frame(maxWidth: .infinity, minHeight: Sizes.target, alignment: .leading)
            if let menu { BarButton(words: .buttonMenu, sign: "ellipsis", act: menu) }
        }
        .padding(.horizontal, back == nil ? 16 : 8)
    }
}

/// A button without words; a screen reader says them.
private struct BarButton: View {
    let words: TextId
    let sign: String
    let act: @MainActor () -> Void

    var body: some View {
        Button(action: act) {
            Image(systemName: sign).bold().frame(minWidth: Sizes.target, minHeight: Sizes.target).contentShape(Rectangle())
        }
        .buttonStyle(BareStyle())
        .spoken(.message(words, []))
    }
}

/// A sign alone, as dark as text.
struct BareStyle: ButtonStyle {
    func makeBody(configuration: Configuration) -> some View { configuration.label.ink(\.ink) }
}

/// The actions of a screen, over its whole width.
struct PageFoot<Content: View>: View {
    @Environment(\.theme) private var theme
    private let content: Content

    init(@ViewBuilder content: () -> Content) { self.content = content() }

    var body: some View {
        VStack(spacing: 8) { content }
            .padding(.horizontal, 16)
            .padding(.vertical, 8)
            .frame(maxWidth: .infinity)
            .overlay(alignment: .top) { Color(theme.line).frame(height: theme.lineWidth) }
    }
}

/// Says something until it is tapped; a screen reader says it once.
private struct NoticeBar: View {
    @Binding var notice: Notice?

    var body: some View {
        VStack {
            if let shown = notice {
                Button { notice = nil } label: {
                    if shown.failed { Badge(shown.words, "exclamationmark.triangle", .bad) } else { Badge(shown.words, "checkmark.circle", .good) }
                }
                .buttonStyle(NoticeStyle())
            }
        }
        .announcing(notice?.words)
    }
}

private struct NoticeStyle: ButtonStyle {
    func makeBody(configuration: Configuration) -> some View {
        configuration.label.frame(maxWidth: .infinity, minHeight: Sizes.target).padding(.horizontal, 16).contentShape(Rectangle())
    }
}

extension View {
    /// A sheet for as long as there is something to show in it.
    func panel<Item, Content: View>(_ item: Item?, close: @escaping () -> Void, @ViewBuilder content: @escaping (Item) -> Content) -> some View {
        sheet(isPresented: Binding(get: { item != nil }, set: { if !$0 { close() } })) {
            if let item { content(item) }
        }
    }
}
