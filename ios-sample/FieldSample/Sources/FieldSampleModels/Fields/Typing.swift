import CompassCore
import Foundation

/// What is on the screen and not yet a value.
struct Typing: Hashable, Sendable {
    /// Half-typed text, by field.
    var texts: [String: String] = [:]
    /// What was refused, by field.
    var problems: [String: Problem] = [:]
    /// Fields for which the phone looks for its position.
    var searching: Set<String> = []
    /// What the phone itself could not do, by field.
    var refusals: [String: TextId] = [:]

    mutating func touch(_ field: String) {
        problems[field] = nil
        searching.remove(field)
        refusals[field] = nil
    }

    mutating func type(_ text: String, _ field: String) {
        touch(field)
        texts[field] = text
    }

    /// A change of the field was kept: nothing of it is open any more.
    mutating func keep(_ field: String) {
        touch(field)
        texts[field] = nil
    }

    mutating func refuse(_ refused: [Problem]) {
        for problem in refused { problems[problem.field] = problem }
    }

    /// Text to be read: what is typed, else what was half typed before.
    func open(_ field: FieldView) -> String? {
        guard field.definition.kind.keyboard != nil else { return nil }
        return texts[field.definition.key] ?? field.draft
    }
}

extension NumberInput {
    /// Reads all that is open in these fields.
    func read(_ fields: [FieldView], _ typing: Typing) throws -> (changes: [FieldChange], problems: [Problem]) {
        var changes: [FieldChange] = [], problems: [Problem] = []
        for field in fields {
            guard let text = typing.open(field) else { continue }
            do {
                changes.append(FieldChange(field: field.definition.key, change: try read(text, field.definition)))
            } catch let refused as CompassError where !refused.problems.isEmpty {
                problems.append(refused.problems[0])
            }
        }
        return (changes, problems)
    }

    private func read(_ text: String, _ definition: FieldDefinition) throws -> Change {
        // Who wipes a line has said nothing; "empty" is said with its own button.
        if text.allSatisfy(\.isWhitespace) { return .clear }
        return switch definition.kind {
        case .integer, .decimal: try definition.parse(toCore(text)).change ?? .clear
        default: try definition.parse(text).change ?? .clear
        }
    }
}

/// Between the digits that people of a locale type and those that the core reads.
struct NumberInput {
    let point: String

    init(_ locale: Locale) { point = locale.decimalSeparator ?? "." }

    /// With ASCII digits and a point. What is no number stays none, for the core to refuse.
    func toCore(_ typed: String) -> String {
        var text = ""
        for character in typed.trimmingCharacters(in: .whitespaces) {
            if let digit = character.wholeNumberValue, digit < 10 {
                text += String(digit)
            } else {
                text += String(character) == point ? "." : String(character)
            }
        }
        return text
    }
}
