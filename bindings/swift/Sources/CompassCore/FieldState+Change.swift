import CompassInternal
import Foundation

extension FieldState {
    /// The change that brings a field to this state. Nil for a redacted field: no change does that.
    ///
    /// ```swift
    /// if let change = try field.definition.parse(text).change { try await compass.change("flue", to: change, in: view.key) }
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
    /// The text that a person would type for this value: `parse` of the same field reads it to the same value again. Nil for a file, which
    /// cannot be typed.
    ///
    /// Options are written as their keys, a place is written without the time at which it was taken.
    ///
    /// - Parameter decimalSeparator: Between the whole part of a decimal number and the rest, as `Locale.decimalSeparator` gives it.
    public func typed(decimalSeparator: String = ".") -> String? {
        if case .file = self { return nil }
        let text = CompassInternal.typedText(state: .provided(self))
        guard case .decimal = self else { return text }
        return text.replacingOccurrences(of: ".", with: decimalSeparator)
    }

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
