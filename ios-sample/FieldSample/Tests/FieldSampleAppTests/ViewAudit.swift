import FieldSampleModels
import Foundation
import SwiftUI

/// Looks at everything that a screen comes to: whether a thumb in a glove meets it, whether it can be read in the sun, whether its text grows,
/// whether a screen reader has words for it. It sees what views ask for, and not what SwiftUI makes of it.
@MainActor
final class ViewAudit {
    private let theme: Theme
    /// What is wrong with words, if anything.
    private let wrongWords: (String) -> String?
    private var faults: [String] = []
    private var root: Drawn?

    init(_ theme: Theme, wrongWords: @escaping (String) -> String? = { _ in nil }) { (self.theme, self.wrongWords) = (theme, wrongWords) }

    /// What is wrong with a screen of the app; nothing, one hopes.
    func faults(ofScreen screen: Drawn) -> [String] {
        if !screen.all.contains(where: { $0.isView("StatusStrip") }) { faults.append("there is no status strip") }
        let pages = screen.sheets.isEmpty ? [screen] : screen.sheets
        for page in pages where !page.spoken.contains(where: { $0.role == .heading || $0.words.hasPrefix("‹Camera") }) {
            faults.append("a screen has no heading")
        }
        let buttons = Dictionary(grouping: screen.spoken.filter { $0.role == .button }, by: \.words)
        for (words, same) in buttons where same.count > 1 { faults.append("\(same.count) buttons say “\(words)”") }
        return faults(of: screen)
    }

    func faults(of drawn: Drawn) -> [String] {
        root = drawn
        look(drawn, Sight())
        return faults
    }

    /// What is around a node.
    private struct Sight {
        var ink: Color?, ground: Color?
        var font = Font.body
        var isOff = false, isHidden = false, isNamed = false, isInFoot = false, isInButton = false
        var style: String?
        /// The box that it fills alone.
        var box = Box()
    }
    private struct Box { var width: CGFloat = 0, height: CGFloat = 0, isWhole = false, hasTap = false, ground: Color? }

    private func look(_ node: Drawn, _ sight: Sight) {
        var sight = sight
        switch node.kind {
        case .words(let words): see(words, node, sight)
        case .symbol(let name): see(sign: name, node, sight)
        case .button, .share: target(node, &sight)
        case .line(_, let prompt, _): line(prompt, node, sight)
        case .toggle(let title, _):
            // Seen only as what a screen reader has instead of one of ours.
            if !sight.isNamed { fault(node, "is a switch of the system's, which is too small") }
            check(title)
        case .day(let title, _): check(title)
        case .colour(let color): check(color, node)
        case .view(let name):
            if name == "PageFoot" { sight.isInFoot = true }
            if name == "Badge" || name == "StatusStrip" { badge(name, node) }
            if theme.isStrong, name == "Card" || name == "Badge", !Self.isBordered(node) { fault(node, "has no border in high contrast") }
        case .with(let modifier): apply(modifier, node, &sight)
        case .row:
            sight.box = Box()
            let wordy = node.children.filter { !$0.words.isEmpty }
            if wordy.count > 1, wordy.contains(where: \.isVeryLarge) { fault(node, "is a row that does not stack when text is very large") }
        case .column, .layers, .fits, .scroll, .navigation, .sheet, .cover: sight.box = Box()
        case .space, .progress, .foreign: break
        }
        for child in node.children {
            look(child, sight)
            // A colour behind the rest.
            if case .layers = node.kind, case .colour(let color) = child.kind { sight.ground = color }
        }
    }

    private func apply(_ modifier: Drawn.Modifier, _ node: Drawn, _ sight: inout Sight) {
        switch modifier {
        case .font(let font): sight.font = font
        case .ink(let color):
            sight.ink = color
            check(color, node)
        case .ground(let color):
            (sight.ground, sight.box.ground) = (color, color)
            check(color, node)
        case .tint(let color): check(color, node)
        case .off(let off): sight.isOff = sight.isOff || off
        case .hidden(let hidden): sight.isHidden = sight.isHidden || hidden
        case .label(let label):
            sight.isNamed = !label.isEmpty
            check(label)
        case .representation: sight.isNamed = true
        case .children(.combine): break
        case .style(let style): sight.style = style
        case .frame(let minWidth, let minHeight, let maxWidth):
            sight.box.width = max(sight.box.width, maxWidth == .infinity ? .infinity : minWidth ?? 0)
            sight.box.height = max(sight.box.height, minHeight ?? 0)
        case .fixedFrame: if !node.words.isEmpty { fault(node, "is words in a frame that does not grow") }
        case .lineLimit: fault(node, "cuts words after some lines")
        case .shape: sight.box.isWhole = true
        case .tap:
            sight.box.hasTap = true
            if !node.all.contains(where: \.isLine) { fault(node, "is tapped without being a button") }
        case .gesture(let name): gesture(name, node)
        case .padding, .border, .other, .size, .bold, .keyboard, .submit, .focus, .traits, .children, .spokenFocus, .importer, .still: break
        }
    }

    // Words and signs ------------------------------------------------------------------------------------------------------------------

    private func see(_ words: String, _ node: Drawn, _ sight: Sight) {
        if words.isEmpty { return }
        check(words)
        readable(node, sight)
    }

    private func see(sign name: String, _ node: Drawn, _ sight: Sight) {
        if !sight.isHidden, !sight.isNamed { fault(node, "is a sign without words") }
        if !knownSigns.contains(name) { fault(node, "is a sign that nobody has looked up") }
        if name.hasSuffix(".left") || name.hasSuffix(".right") { fault(node, "points the same way from right to left") }
        readable(node, sight)
    }

    private func readable(_ node: Drawn, _ sight: Sight) {
        if let size = sight.font.points(at: node.size) {
            if size < Sizes.text { fault(node, "is text of \(Int(size)) points") }
        } else {
            fault(node, "is text of a fixed size")
        }
        guard let ink = sight.ink?.shade, let ground = sight.ground?.shade else { return fault(node, "has no colour of the theme") }
        let seen = contrast(ink, ground)
        if seen < (theme.isStrong ? 7 : 4.5) { fault(node, "has a contrast of \(String(format: "%.1f", seen))") }
    }

    private func check(_ words: String) {
        if let wrong = wrongWords(words) { faults.append("“\(words)” \(wrong)") }
    }

    private func check(_ color: Color, _ node: Drawn) {
        guard let shade = color.shade, theme.shades.contains(shade) else { return fault(node, "has a colour that is not of the theme") }
    }

    // What can be tapped and typed in --------------------------------------------------------------------------------------------------

    private func target(_ node: Drawn, _ sight: inout Sight) {
        (sight.isInButton, sight.box) = (true, Box())
        let box = Self.box(of: node)
        let isMain = sight.style == "MainStyle" || box.ground.map { $0.shade == theme.accent } ?? false
        let least = isMain ? Sizes.main : Sizes.target
        if box.height < least || box.width < Sizes.target { fault(node, "is a target of \(box.width) by \(box.height) points") }
        if !box.isWhole { fault(node, "is a target only where its words are") }
        if sight.style == nil { fault(node, "looks as the system likes") }
        if isMain, !sight.isInFoot { fault(node, "is a main action outside the foot") }
        if !sight.isNamed, node.spoken.first?.words.isEmpty ?? true { fault(node, "is a button without words") }
    }

    /// How large what is tapped is: by its own frames, for those around a button are not part of it.
    private static func box(of node: Drawn) -> Box {
        var box = Box(), next = node.children.last
        while let here = next {
            switch here.kind {
            case .with(.frame(let minWidth, let minHeight, let maxWidth)):
                box.width = max(box.width, maxWidth == .infinity ? .infinity : minWidth ?? 0)
                box.height = max(box.height, minHeight ?? 0)
            case .with(.shape): box.isWhole = true
            case .with(.ground(let color)): box.ground = color
            case .with, .view: break
            default: return box
            }
            next = here.children.last
        }
        return box
    }

    private func line(_ prompt: String, _ node: Drawn, _ sight: Sight) {
        if sight.box.height < Sizes.target || sight.box.width < Sizes.target {
            fault(node, "is a target of \(sight.box.width) by \(sight.box.height) points")
        }
        if !sight.box.hasTap { fault(node, "is a target only where its words are") }
        if !sight.isNamed { fault(node, "is an input without a label") }
        check(prompt)
        readable(node, sight)
    }

    private func badge(_ name: String, _ node: Drawn) {
        if !node.all.contains(where: \.isSymbol) { fault(node, "is a \(name) without a sign") }
        if node.words.isEmpty { fault(node, "is a \(name) without words") }
    }

    /// Whether something is drawn over all of it.
    private static func isBordered(_ node: Drawn) -> Bool {
        var next = node.children.last
        while let here = next {
            if case .with(.border) = here.kind, here.children.count > 1 { return true }
            guard case .with = here.kind else { return false }
            next = here.children.last
        }
        return false
    }

    /// A person who cannot do it types instead, in the same page.
    private func gesture(_ name: String, _ node: Drawn) {
        let page = root?.sheets.last { $0.all.contains { $0 === node } } ?? root
        if !(page?.all.contains(where: \.isLine) ?? false) { fault(node, "is a gesture (\(name)) that has no other way") }
    }

    private func fault(_ node: Drawn, _ what: String) {
        let words = node.words.joined(separator: " ").prefix(60)
        faults.append("\(words.isEmpty ? node.name : "“\(words)”") \(what)")
    }
}
