import Foundation

/// An exact decimal number with the digits as they were entered: `182.50` stays `182.50`.
///
/// Foundation's `Decimal` drops trailing zeros, and a `Double` is not exact, so the digits are kept. Two values are equal when their digits
/// are: `1.0` is not `1.00`. Compare ``decimal`` to compare numbers.
///
/// ```swift
/// let flue = DecimalValue("182.50")!
/// print(flue, flue.decimal)   // 182.50 182.5
/// ```
public struct DecimalValue: Hashable, Sendable, CustomStringConvertible, LosslessStringConvertible {
    /// The digits: an optional minus sign, digits, at most one point between digits.
    public let text: String

    /// From such digits; nil for any other text. The core decides how many digits a field takes.
    public init?(_ description: String) {
        let digits = description.hasPrefix("-") ? description.dropFirst() : description[...]
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }) else { return nil }
        text = description
    }

    /// From Foundation's number, with the digits that it prints.
    public init(_ decimal: Foundation.Decimal) {
        text = NSDecimalNumber(decimal: decimal).description(withLocale: Locale(identifier: "en_US_POSIX"))
    }

    /// As the core wrote it.
    init(text: String) {
        self.text = text
    }

    /// As Foundation's number, for calculations: without trailing zeros.
    public var decimal: Foundation.Decimal {
        Foundation.Decimal(string: text, locale: Locale(identifier: "en_US_POSIX")) ?? .nan
    }

    /// The digits.
    public var description: String { text }
}
