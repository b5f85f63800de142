import Foundation

/// A time of day without a time zone.
///
/// ```swift
/// let time = LocalTime("18:31:40")!
/// print(time.hour, time.minute)   // 18 31
/// ```
public struct LocalTime: Hashable, Comparable, Sendable, CustomStringConvertible, LosslessStringConvertible {
    /// The hour, 0 to 23.
    public let hour: Int
    /// The minute, 0 to 59.
    public let minute: Int
    /// The second, 0 to 59.
    public let second: Int
    /// The part of the second, in nanoseconds.
    public let nanosecond: Int

    /// A time that a clock shows; nil for any other.
    public init?(hour: Int, minute: Int, second: Int = 0, nanosecond: Int = 0) {
        guard (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second),
              (0...999_999_999).contains(nanosecond)
        else { return nil }
        (self.hour, self.minute, self.second, self.nanosecond) = (hour, minute, second, nanosecond)
    }

    /// From a text such as `18:31`, `18:31:40` or `18:31:40.500`; nil for any other.
    public init?(_ description: String) {
        let halves = description.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let clock = halves[0].split(separator: ":", omittingEmptySubsequences: false)
        guard [2, 3].contains(clock.count), clock.allSatisfy({ $0.count == 2 }), let numbers = wholeNumbers(clock) else { return nil }
        var nanosecond = 0
        if halves.count == 2 {
            guard clock.count == 3, (1...9).contains(halves[1].count), let fraction = wholeNumbers([halves[1]]) else { return nil }
            nanosecond = (halves[1].count..<9).reduce(fraction[0]) { digits, _ in digits * 10 }
        }
        self.init(hour: numbers[0], minute: numbers[1], second: numbers.count == 3 ? numbers[2] : 0, nanosecond: nanosecond)
    }

    /// The time at a moment in a time zone, to the second.
    public init?(_ instant: Date, in zone: TimeZone) {
        let parts = gregorian(zone).dateComponents([.hour, .minute, .second], from: instant)
        guard let hour = parts.hour, let minute = parts.minute, let second = parts.second else { return nil }
        self.init(hour: hour, minute: minute, second: second)
    }

    init(core text: String) throws {
        guard let time = LocalTime(text) else { throw CoreError.unreadable("time") }
        self = time
    }

    /// For instance `18:31:40`, with a fraction only when there is one.
    public var description: String {
        var text = "\(padded(hour)):\(padded(minute)):\(padded(second))"
        if nanosecond > 0 {
            var fraction = padded(nanosecond, 9)
            while fraction.hasSuffix("000") { fraction.removeLast(3) }
            text += "." + fraction
        }
        return text
    }

    /// The earlier time is the smaller one.
    public static func < (one: LocalTime, other: LocalTime) -> Bool {
        (one.hour, one.minute, one.second, one.nanosecond) < (other.hour, other.minute, other.second, other.nanosecond)
    }
}
