import CompassInternal
import Foundation

extension FieldState {
    /// The change that brings a field into this state: what `parse` read, or what a field held before, as a command wants it.
    ///
    /// ```swift
    /// if let change = try field.definition.parse(text).change { try await compass.change("flue", to: change, in: view.key) }
    /// ```
    ///
    /// Nothing for what was redacted: no command brings that about.
    public var change: Change? {
        switch self {
        case .notProvided: .clear
        case .notApplicable: .notApplicable
        case .empty: .set(.text(""))
        case .provided(let value): .set(value)
        case .redacted: nil
        }
    }

    /// The value, where there is one.
    public var value: FieldValue? { if case .provided(let value) = self { value } else { nil } }
}

extension Change {
    /// The state into which it brings a field. The core may keep the value in another form, without the white space around a text for instance.
    public var state: FieldState {
        switch self {
        case .clear: .notProvided
        case .notApplicable: .notApplicable
        case .set(let value): value.saysNothing ? .empty : .provided(value)
        }
    }
}

extension FieldValue {
    /// As a person would type it, and as `parse` of the same field reads it again. Nothing for a file, which cannot be typed.
    ///
    /// A choice is the key of its option. What `parse` cannot know is lost: when a location was captured.
    ///
    /// - Parameter decimalSeparator: Between the whole part of a decimal number and the rest, as `Locale.decimalSeparator` gives it.
    public func typed(decimalSeparator: String = ".") -> String? {
        if case .file = self { return nil }
        let text = CompassInternal.typedText(state: .provided(self))
        guard case .decimal = self else { return text }
        return text.replacingOccurrences(of: ".", with: decimalSeparator)
    }

    // What the core takes for "empty".
    fileprivate var saysNothing: Bool {
        switch self {
        case .text(let text): text.allSatisfy(\.isWhitespace)
        case .choice(let option): option.isEmpty
        case .choices(let options): options.isEmpty
        default: false
        }
    }
}
