import CompassInternal
import Foundation

extension FieldState {
    /// The change that brings a field to this state. Nil for a redacted field: no change does that.
    ///
    /// ```swift
    /// if let change = try field.definition.parse(text).change { try await compass.setField("flue", to: change, in: view.key) }
    /// ```
    public var change: Change? {
        switch self {
        case .notProvided: .clear
        case .notApplicable: .notApplicable
        case .empty: .set(.text(""))
        case .provided(let value): .set(value)
        case .redacted: nil
        }
    }

    /// The value, if there is one.
    public var value: FieldValue? { if case .provided(let value) = self { value } else { nil } }

    /// The text that a person would type for the value of a field: `parse` reads it to the same value again. Numbers are in ASCII digits,
    /// options are written as their keys, a place is written without the time at which it was taken. An empty text when there is no value,
    /// and for a file.
    ///
    /// - Parameter decimalSeparator: Between the whole part of a decimal number and the rest, as `Locale.decimalSeparator` gives it.
    public func typedText(decimalSeparator: String = ".") -> String {
        let text = CompassInternal.typedText(state: self)
        guard case .provided(.decimal) = self else { return text }
        return text.replacingOccurrences(of: ".", with: decimalSeparator)
    }
}

extension Change {
    /// The state of a field after this change, if it is accepted: an empty text or an empty choice is "empty". The core may keep the value
    /// in another form, for example without white space around a text.
    public var state: FieldState {
        switch self {
        case .clear: .notProvided
        case .notApplicable: .notApplicable
        case .set(let value): value.isNothing ? .empty : .provided(value)
        }
    }
}

extension FieldValue {
    // Whether the core counts it as "empty".
    fileprivate var isNothing: Bool {
        switch self {
        case .text(let text): text.allSatisfy(\.isWhitespace)
        case .choice(let option): option.isEmpty
        case .choices(let options): options.isEmpty
        default: false
        }
    }
}
