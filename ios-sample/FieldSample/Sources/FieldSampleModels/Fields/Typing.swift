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

    /// Reads all that is open in these fields.
    func read(_ fields: [FieldView]) throws -> (changes: [FieldChange], problems: [Problem]) {
        var changes: [FieldChange] = [], problems: [Problem] = []
        for field in fields {
            guard let text = open(field) else { continue }
            do {
                let state = try field.definition.parse(text)
                // Who empties a line has said nothing; "empty" is said with its own button.
                let change = state == .empty ? .clear : state.change ?? .clear
                changes.append(FieldChange(field: field.definition.key, change: change))
            } catch let refused as CompassError where !refused.problems.isEmpty {
                problems.append(refused.problems[0])
            }
        }
        return (changes, problems)
    }
}
