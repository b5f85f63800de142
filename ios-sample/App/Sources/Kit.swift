import FieldSampleModels
import SwiftUI

/// A phrase as text.
struct Words: View {
    @Environment(\.phrases) private var phrases
    let words: Phrase

    init(_ words: Phrase) { self.words = words }
    init(_ id: TextId) { words = .message(id, []) }

    var body: some View { Text(verbatim: phrases(words)) }
}

/// A sign beside words that say the same: a screen reader leaves it out.
struct Sign: View {
    let name: String

    init(_ name: String) { self.name = name }

    var body: some View { Image(systemName: name).accessibilityHidden(true) }
}

/// A heading, which a screen reader can jump to.
struct Heading: View {
    let words: Phrase

    init(_ words: Phrase) { self.words = words }
    init(_ id: TextId) { words = .message(id, []) }

    var body: some View { Words(words).font(.title3).bold().accessibilityAddTraits(.isHeader) }
}

/// Things that belong together. In high contrast it has a border, for its ground is that of the page.
struct Card<Content: View>: View {
    @Environment(\.theme) private var theme
    private let content: Content

    init(@ViewBuilder content: () -> Content) { self.content = content() }

    var body: some View {
        VStack(alignment: .leading, spacing: 8) { content }
            .padding(16)
            .frame(maxWidth: .infinity, alignment: .leading)
            .background(Color(theme.card), in: RoundedRectangle(cornerRadius: 16))
            .overlay {
                if theme.isStrong { RoundedRectangle(cornerRadius: 16).strokeBorder(Color(theme.line), lineWidth: theme.lineWidth) }
            }
    }
}

/// How something stands: a sign, words, and a colour that says it once more.
struct Badge: View {
    @Environment(\.theme) private var theme
    let sign: String
    let words: Phrase
    let tone: Tone

    init(_ words: Phrase, _ sign: String, _ tone: Tone = .plain) { (self.words, self.sign, self.tone) = (words, sign, tone) }
    init(_ id: TextId, _ sign: String, _ tone: Tone = .plain) { self.init(.message(id, []), sign, tone) }

    var body: some View {
        HStack(alignment: .firstTextBaseline) {
            Sign(sign)
            Words(words).bold()
        }
        .foregroundStyle(Color(theme.ink(tone)))
        .padding(12)
        .frame(maxWidth: .infinity, alignment: .leading)
        .background(Color(theme.ground(tone)), in: RoundedRectangle(cornerRadius: 12))
        .overlay {
            if theme.isStrong { RoundedRectangle(cornerRadius: 12).strokeBorder(Color(theme.ink(tone)), lineWidth: theme.lineWidth) }
        }
        .accessibilityElement(children: .combine)
    }
}

/// A name and what it holds, read in one go.
struct Pair: View {
    let name: Phrase
    let value: Phrase

    var body: some View {
        VStack(alignment: .leading, spacing: 2) {
            Words(name).ink(\.quietInk)
            Words(value).bold()
        }
        .accessibilityElement(children: .combine)
    }
}

/// Side by side where there is room, else one below the other.
struct Beside<Content: View>: View {
    private let content: Content

    init(@ViewBuilder content: () -> Content) { self.content = content() }

    var body: some View {
        ViewThatFits(in: .horizontal) {
            HStack(spacing: 8) { content }
            VStack(spacing: 8) { content }
        }
    }
}
