import CompassCore
import Foundation

/// Something to read on a screen, before it is in a language: what models hold instead of strings. `Phrases` makes it a string.
public indirect enum Phrase: Hashable, Sendable {
    /// Words of a person or of a workflow, shown as they are.
    case plain(String)
    /// A message of the app; the others fill its places in order.
    case message(TextId, [Phrase])
    /// A message whose words depend on a number.
    case count(CountId, Int)
    /// Decimal text, in the digits of the locale, with all digits that it has.
    case number(String)
    case day(LocalDate)
    case time(LocalTime)
    /// A moment, shown in the time of the phone.
    case moment(Date)
    /// A moment with the offset a person entered; shown with it.
    case offsetMoment(OffsetDateTime)
    case several([Phrase])

    static func text(_ id: TextId, _ args: Phrase...) -> Phrase { .message(id, args) }
}
