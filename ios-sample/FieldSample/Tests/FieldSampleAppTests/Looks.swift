import FieldSampleModels
import Foundation
import SwiftUI

// How the audit reads the tree.

extension Drawn {
    func isView(_ name: String) -> Bool {
        if case .view(name) = kind { true } else { false }
    }

    var isSymbol: Bool {
        if case .symbol = kind { true } else { false }
    }

    var isLine: Bool {
        if case .line = kind { true } else { false }
    }

    /// Whether words in it are as large as only very large text is.
    var isVeryLarge: Bool {
        all.contains { node in
            if case .words = node.kind { node.size.isAccessibilitySize } else { false }
        }
    }

    /// All words that are shown.
    var words: [String] {
        all.compactMap { node in
            if case .words(let words) = node.kind, !words.isEmpty { words } else { nil }
        }
    }

    /// For a fault of something that has no words.
    var name: String {
        if case .symbol(let name) = kind { return name }
        return all.lazy.compactMap { node in
            if case .view(let name) = node.kind { name } else { nil }
        }.first ?? String("\(kind)".prefix(40))
    }
}

extension Color {
    /// None for a colour of the system's, or one that is seen through.
    var shade: Shade? {
        if parts.count != 3 { return nil }
        return Shade(parts.reduce(0) { $0 << 8 | UInt32(($1 * 255).rounded()) })
    }
}

extension Theme {
    var shades: Set<Shade> {
        [page, card, ink, quietInk, line, accent, onAccent, tint, good, goodGround, waiting, waitingGround, bad, badGround, Self.paper, Self.pen]
    }
}

extension Font {
    /// Its size, as Apple's Human Interface Guidelines list it; none for one that does not grow.
    func points(at size: DynamicTypeSize) -> Double? {
        // From xSmall to accessibility5.
        let sizes: [TextStyle: [Double]] = [
            .largeTitle: [31, 32, 33, 34, 36, 38, 40, 44, 48, 52, 56, 60], .title: [25, 26, 27, 28, 30, 32, 34, 38, 43, 48, 53, 58],
            .title2: [19, 20, 21, 22, 24, 26, 28, 34, 39, 44, 50, 56], .title3: [17, 18, 19, 20, 22, 24, 26, 31, 37, 43, 49, 55],
            .headline: [14, 15, 16, 17, 19, 21, 23, 28, 33, 40, 47, 53], .body: [14, 15, 16, 17, 19, 21, 23, 28, 33, 40, 47, 53],
            .callout: [13, 14, 15, 16, 18, 20, 22, 26, 32, 38, 44, 51], .subheadline: [12, 13, 14, 15, 17, 19, 21, 25, 30, 36, 42, 49],
            .footnote: [12, 12, 12, 13, 15, 17, 19, 23, 27, 33, 38, 44], .caption: [11, 11, 11, 12, 14, 16, 18, 22, 26, 32, 37, 43],
            .caption2: [11, 11, 11, 11, 13, 15, 17, 20, 24, 29, 34, 40],
        ]
        return style.flatMap { sizes[$0]?[size.rawValue] }
    }
}
