import SwiftUI

/// What a screen reader would stop at: what it says, what it is, and what a double tap does.
struct Spoken {
    enum Role: String { case text, heading, button, field, toggle, picker, picture }

    var words: String
    var role: Role
    /// What is typed, or whether it is on.
    var value: String?
    var isOff = false, isSelected = false
    var act: (@MainActor () -> Void)?
    var line: Binding<String>?
    var day: Binding<Date>?
    var focus: FocusState<Bool>.Binding?
    var submit: (@MainActor () -> Void)?

    /// As a line of a file.
    var written: String {
        let said = words.replacingOccurrences(of: "\n", with: " ⏎ ")
        let marks = [value.map { "“\($0)”" }, isSelected ? "(selected)" : nil, isOff ? "(dimmed)" : nil].compactMap { $0 }
        return ([role.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0) + said] + marks).joined(separator: " ")
    }
}

extension Drawn {
    /// Everything in order; of a sheet that lies over the screen, only the sheet.
    var spoken: [Spoken] { (sheets.last ?? self).read() }

    /// What lies over the screen, the topmost last.
    var sheets: [Drawn] {
        all.filter { node in
            switch node.kind {
            case .sheet, .cover: true
            default: false
            }
        }
    }

    private func read() -> [Spoken] {
        switch kind {
        case .words(let words): return words.isEmpty ? [] : [Spoken(words: words, role: .text)]
        case .symbol(let name): return [Spoken(words: "‹\(name)›", role: .picture)]
        case .button(let act):
            let isSelected = inside.contains(where: \.isSelected)
            return [Spoken(words: joined, role: .button, isSelected: isSelected, act: act)]
        case .share: return [Spoken(words: joined, role: .button)]
        case .line(let text, let prompt, let secure):
            let shown = text.wrappedValue
            return [Spoken(words: prompt, role: .field, value: shown.isEmpty ? nil : secure ? "•••" : shown, line: text)]
        case .toggle(let title, let on):
            return [Spoken(words: title, role: .toggle, value: on.wrappedValue ? "on" : "off", act: { on.wrappedValue.toggle() })]
        case .day(let title, let day): return [Spoken(words: title, role: .picker, day: day)]
        case .foreign(let name): return [Spoken(words: "‹\(name)›", role: .picture)]
        case .progress, .colour, .space: return []
        case .sheet, .cover, .view, .column, .row, .layers, .fits, .scroll, .navigation: return inside
        case .with(let modifier): return said(modifier)
        }
    }

    /// What lies over it is read by itself.
    private var inside: [Spoken] {
        children.flatMap { child -> [Spoken] in
            switch child.kind {
            case .sheet, .cover: []
            default: child.read()
            }
        }
    }

    private var joined: String { inside.filter { $0.role != .picture }.map(\.words).joined(separator: ", ") }

    private func said(_ modifier: Modifier) -> [Spoken] {
        func each(_ change: (inout Spoken) -> Void) -> [Spoken] {
            inside.map { spoken in
                var spoken = spoken
                change(&spoken)
                return spoken
            }
        }
        switch modifier {
        case .hidden(true): return []
        case .label(let label):
            var all = inside
            if all.count == 1 {
                all[0].words = label
                if all[0].role == .picture { all[0].role = .text }
            } else {
                all = [Spoken(words: label, role: .text)]
            }
            return all
        case .traits(let traits):
            return each {
                if traits.contains(.isHeader) { $0.role = .heading }
                if traits.contains(.isSelected) { $0.isSelected = true }
            }
        case .children(.combine):
            guard !inside.isEmpty else { return [] }
            return [Spoken(words: joined, role: inside.contains { $0.role == .heading } ? .heading : .text)]
        case .children(.ignore): return [Spoken(words: "", role: .text)]
        case .off(true): return each { $0.isOff = true }
        case .focus(let focus): return each { $0.focus = focus }
        case .submit(let act): return each { $0.submit = act }
        default: return inside
        }
    }
}
