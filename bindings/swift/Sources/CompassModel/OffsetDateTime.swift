import Foundation

/// A date and a time with the offset from UTC at which they were entered.
///
/// ```swift
/// let moment = OffsetDateTime("2026-11-23T19:31:40+01:00")!
/// print(moment.offsetSeconds, moment.instant)   // 3600 2026-11-23 18:31:40 +0000
/// ```
public struct OffsetDateTime: Hashable, Sendable, CustomStringConvertible, LosslessStringConvertible {
    /// The date, in the time zone where it was entered.
    public let date: LocalDate
    /// The time, in the time zone where it was entered.
    public let time: LocalTime
    /// How far the time zone is ahead of UTC, in seconds; whole minutes.
    public let offsetSeconds: Int

    /// With an offset of whole minutes and less than a day; nil for any other.
    public init?(date: LocalDate, time: LocalTime, offsetSeconds: Int) {
        guard offsetSeconds % 60 == 0, abs(offsetSeconds) < 86_400 else { return nil }
        (self.date, self.time, self.offsetSeconds) = (date, time, offsetSeconds)
    }

    /// From a text as RFC 3339 writes it, such as `2026-11-23T19:31:40+01:00` or `2026-11-23T18:31:40Z`; nil for any other.
    public init?(_ description: String) {
        guard let split = description.firstIndex(of: "T"), let date = LocalDate(String(description[..<split])) else { return nil }
        let rest = description[description.index(after: split)...]
        if rest.hasSuffix("Z") {
            guard let time = LocalTime(String(rest.dropLast())) else { return nil }
            self.init(date: date, time: time, offsetSeconds: 0)
            return
        }
        guard let sign = rest.lastIndex(where: { $0 == "+" || $0 == "-" }), let time = LocalTime(String(rest[..<sign])),
              let offset = LocalTime(String(rest[rest.index(after: sign)...])), offset.second == 0, offset.nanosecond == 0
        else { return nil }
        let seconds = offset.hour * 3600 + offset.minute * 60
        self.init(date: date, time: time, offsetSeconds: rest[sign] == "-" ? -seconds : seconds)
    }

    /// The date and the time at a moment in a time zone, to the second; nil if ``LocalDate`` has no such day, or if the offset of the zone
    /// is not in whole minutes, as long ago.
    ///
    /// ```swift
    /// if let now = OffsetDateTime(Date(), in: .current) { try await compass.setFields(["arrived": .dateTime(now)], in: view.key) }
    /// ```
    public init?(_ instant: Date, in zone: TimeZone) {
        guard let date = LocalDate(instant, in: zone), let time = LocalTime(instant, in: zone) else { return nil }
        self.init(date: date, time: time, offsetSeconds: zone.secondsFromGMT(for: instant))
    }

    init(core text: String) throws {
        guard let moment = OffsetDateTime(text) else { throw CoreError.unreadable("datetime") }
        self = moment
    }

    /// For instance `2026-11-23T19:31:40+01:00`.
    public var description: String {
        let minutes = abs(offsetSeconds) / 60
        return "\(date)T\(time)\(offsetSeconds < 0 ? "-" : "+")\(padded(minutes / 60)):\(padded(minutes % 60))"
    }

    /// The moment, to the millisecond.
    public var instant: Date {
        let calendar = gregorian(TimeZone(secondsFromGMT: 0)!)
        let parts = DateComponents(
            year: date.year, month: date.month, day: date.day, hour: time.hour, minute: time.minute, second: time.second)
        let whole = calendar.date(from: parts)!.timeIntervalSince1970
        return Date(timeIntervalSince1970: whole - Double(offsetSeconds) + Double(time.nanosecond / 1_000_000) / 1000)
    }
}
