import FieldSampleModels
import SwiftUI

/// A sign, words and a number, on every screen. It asks nothing; a tap opens the outbox.
struct StatusStrip: View {
    let model: StatusModel

    var body: some View {
        Button { model.open() } label: {
            HStack {
                Sign(model.sign.name)
                VStack(alignment: .leading, spacing: 2) {
                    Words(model.words).bold()
                    if let attention = model.attention { Words(attention).bold() }
                    if model.simulated { Words(.statusSimulated) }
                }
                .frame(maxWidth: .infinity, alignment: .leading)
                Sign("chevron.forward")
            }
        }
        .buttonStyle(StripStyle(tone: model.sign.tone))
        .accessibilityAddTraits(.updatesFrequently)
        .announcing(model.words)
        .announcing(model.attention)
    }
}

private struct StripStyle: ButtonStyle {
    let tone: Tone

    func makeBody(configuration: Configuration) -> some View { StripFace(face: configuration, tone: tone) }
}

private struct StripFace: View {
    @Environment(\.theme) private var theme
    let face: ButtonStyleConfiguration
    let tone: Tone

    var body: some View {
        face.label
            .foregroundStyle(Color(theme.ink(tone)))
            .padding(.horizontal, 16)
            .padding(.vertical, 4)
            .frame(maxWidth: .infinity, minHeight: Sizes.target)
            .background(Color(theme.ground(tone)))
            .overlay(alignment: .bottom) {
                if theme.isStrong { Color(theme.line).frame(height: theme.lineWidth) }
            }
            .contentShape(Rectangle())
    }
}

extension StatusSign {
    fileprivate var name: String {
        switch self {
        case .opening: "hourglass"
        case .noSignal: "wifi.slash"
        case .waiting: "arrow.up.circle"
        case .allSent: "checkmark.circle"
        case .needsPerson: "exclamationmark.triangle"
        }
    }

    fileprivate var tone: Tone {
        switch self {
        case .opening: .plain
        case .noSignal, .waiting: .waiting
        case .allSent: .good
        case .needsPerson: .bad
        }
    }
}
