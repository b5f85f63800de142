import CompassCore
import Foundation

/// The words of a language. The app has them in its String Catalog.
public protocol Messages: Sendable {
    /// The message, with `%1$@` and so on where its arguments go.
    func template(_ id: TextId) -> String
    /// The message for this number, in the right plural, with the number in it.
    func counted(_ id: CountId, _ count: Int) -> String
}

/// Makes strings of phrases, as a locale writes them, in the time of a zone.
///
/// ```swift
/// Text(phrases(model.status.words))
/// ```
public struct Phrases: Sendable {
    public let locale: Locale
    private let zone: TimeZone
    private let messages: any Messages

    public init(locale: Locale, zone: TimeZone, messages: any Messages) {
        (self.locale, self.zone, self.messages) = (locale, zone, messages)
    }

    public func callAsFunction(_ id: TextId) -> String { self(.message(id, [])) }

    public func callAsFunction(_ phrase: Phrase) -> String {
        switch phrase {
        case .plain(let words): words
        case .message(let id, let args): filled(messages.template(id), args.map { self($0) })
        case .count(let id, let count): messages.counted(id, count)
        case .number(let digits): number(digits)
        case .day(let day): shown(utc(day), .medium, .none, in: .gmt)
        case .time(let time):
            shown(Date(timeIntervalSinceReferenceDate: TimeInterval(time.hour * 3600 + time.minute * 60 + time.second)), .none, .short, in: .gmt)
        case .moment(let at): shown(at, .medium, .short, in: zone)
        case .offsetMoment(let moment):
            shown(moment.instant, .medium, .short, in: TimeZone(secondsFromGMT: moment.offsetSeconds) ?? .gmt) + " " + offset(moment.offsetSeconds)
        case .several(let phrases): phrases.map { self($0) }.joined(separator: ", ")
        }
    }

    // An argument may hold a place of its own, in a technician's words: it is filled once, from the template.
    private func filled(_ template: String, _ args: [String]) -> String {
        var rest = template[...], filled = ""
        while let percent = rest.firstIndex(of: "%") {
            filled += rest[..<percent]
            let place = rest[percent...].prefix(4)
            if place.count == 4, place.hasSuffix("$@"), let number = Int(String(place.dropFirst().first!)), args.indices.contains(number - 1) {
                filled += args[number - 1]
                rest = rest[rest.index(percent, offsetBy: 4)...]
            } else {
                filled += "%"
                rest = rest[rest.index(after: percent)...]
            }
        }
        return filled + rest
    }

    private func number(_ digits: String) -> String {
        guard let value = Decimal(string: digits, locale: Locale(identifier: "en_US_POSIX")) else { return digits }
        let places = digits.split(separator: ".", omittingEmptySubsequences: false).dropFirst().first?.count ?? 0
        let format = NumberFormatter()
        format.locale = locale
        format.numberStyle = .decimal
        format.usesGroupingSeparator = false
        format.minimumFractionDigits = places
        format.maximumFractionDigits = places
        return format.string(from: value as NSDecimalNumber) ?? digits
    }

    private func shown(_ at: Date, _ date: DateFormatter.Style, _ time: DateFormatter.Style, in zone: TimeZone) -> String {
        let format = DateFormatter()
        format.locale = locale
        format.timeZone = zone
        format.dateStyle = date
        format.timeStyle = time
        return format.string(from: at)
    }

    private func offset(_ seconds: Int) -> String {
        String(format: "%@%02d:%02d", seconds < 0 ? "-" : "+", abs(seconds) / 3600, abs(seconds) / 60 % 60)
    }

    private func utc(_ day: LocalDate) -> Date {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar.date(from: DateComponents(year: day.year, month: day.month, day: day.day)) ?? .distantPast
    }
}
