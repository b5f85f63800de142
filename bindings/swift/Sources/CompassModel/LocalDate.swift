import Foundation

/// A calendar date without a time zone.
///
/// ```swift
/// let day = LocalDate("2026-11-23")!
/// print(day.year, day.month, day.day)   // 2026 11 23
/// ```
public struct LocalDate: Hashable, Comparable, Sendable, CustomStringConvertible, LosslessStringConvertible {
    /// The year, in the Gregorian calendar.
    public let year: Int
    /// The month, 1 to 12.
    public let month: Int
    /// The day of the month, from 1.
    public let day: Int

    /// A day that exists in the calendar, in the years 0 to 9999; nil for any other.
    public init?(year: Int, month: Int, day: Int) {
        guard (0...9999).contains(year), (1...12).contains(month) else { return nil }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...days[month - 1]).contains(day) else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// From a text such as `2026-11-23`; nil for any other.
    public init?(_ description: String) {
        let parts = description.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], let numbers = wholeNumbers(parts) else { return nil }
        self.init(year: numbers[0], month: numbers[1], day: numbers[2])
    }

    /// The day at a moment in a time zone; nil outside the years 0 to 9999.
    ///
    /// ```swift
    /// let today = LocalDate(Date(), in: .current)
    /// ```
    public init?(_ instant: Date, in zone: TimeZone) {
        let parts = gregorian(zone).dateComponents([.era, .year, .month, .day], from: instant)
        guard parts.era == 1, let year = parts.year, let month = parts.month, let day = parts.day else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// As the core wrote it, which has only years that can be written.
    init(core text: String) throws {
        guard let date = LocalDate(text) else { throw CoreError.unreadable("date") }
        self = date
    }

    /// For instance `2026-11-23`.
    public var description: String {
        "\(padded(year, 4))-\(padded(month))-\(padded(day))"
    }

    /// The earlier date is the smaller one.
    public static func < (one: LocalDate, other: LocalDate) -> Bool {
        (one.year, one.month, one.day) < (other.year, other.month, other.day)
    }
}

extension CoreError {
    /// A value that this package cannot hold. The error does not contain it.
    static func unreadable(_ place: String) -> CoreError {
        .Failed(code: "internal", retryable: false, place: place, detail: "unreadable", problems: [], findings: [], undelivered: nil)
    }
}

/// These digits as numbers; nil if there is any other character.
func wholeNumbers(_ parts: [Substring]) -> [Int]? {
    let numbers = parts.compactMap { part in part.utf8.allSatisfy { (48...57).contains($0) } ? Int(part) : nil }
    return numbers.count == parts.count ? numbers : nil
}

/// Days as the core counts them, with any calendar on the phone.
func gregorian(_ zone: TimeZone) -> Calendar {
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = zone
    return calendar
}

/// With leading zeros.
func padded(_ number: Int, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
