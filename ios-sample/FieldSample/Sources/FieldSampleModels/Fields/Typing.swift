import Foundation

/// What is on the screen and not yet a value.
struct Typing: Hashable, Sendable {
    /// Half-typed text, by field.
    var texts: [String: String] = [:]
    /// What was refused, by field.
    var problems: [String: FieldProblem] = [:]
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

    mutating func refuse(_ refused: [FieldProblem]) {
        for problem in refused { problems[problem.field] = problem }
    }

    /// Text to be read: what is typed, else what was half typed before.
    func open(_ field: SessionField) -> String? {
        guard field.info.type.keyboard != nil else { return nil }
        return texts[field.info.key] ?? field.draft
    }
}

/// Reads the typed text of one session's fields.
struct FieldReader {
    let gateway: any FieldGateway
    let session: String
    let numbers: NumberInput

    /// Reads all that is open in these fields.
    func read(_ fields: [SessionField], _ typing: Typing) async throws -> (changes: [FieldEdit], problems: [FieldProblem]) {
        var changes: [FieldEdit] = [], problems: [FieldProblem] = []
        for field in fields {
            guard let text = typing.open(field) else { continue }
            switch try await read(text, field.info) {
            case .read(let holding): changes.append(FieldEdit(field: field.info.key, to: holding))
            case .refused(let problem): problems.append(problem)
            }
        }
        return (changes, problems)
    }

    private func read(_ text: String, _ info: FieldInfo) async throws -> Reading {
        // Who wipes a line has said nothing; "empty" is said with its own button.
        if text.allSatisfy(\.isWhitespace) { return .read(.notProvided) }
        let number = info.type == .integer || info.type == .decimal
        return try await gateway.read(number ? numbers.toCore(text) : text, field: info.key, session: session)
    }
}

/// Between the digits that people of a locale type and those that the core reads.
struct NumberInput {
    private let point: String

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

    /// A number as it is typed.
    func typed(_ digits: String) -> String { digits.replacingOccurrences(of: ".", with: point) }
}
