import CompassCore
import Observation

/// The sign of the strip; each has a form of its own, so that colour alone says nothing.
public enum StatusSign: Hashable, Sendable { case opening, noSignal, waiting, allSent, needsPerson }

/// The strip on every screen: a sign, words and a number.
@MainActor @Observable
public final class StatusModel {
    public private(set) var sign = StatusSign.opening
    /// What is so: "No signal: 3 saved, will send".
    public private(set) var words = Phrase.text(.statusOpening)
    /// What needs a person, beside it; the outbox shows what.
    public private(set) var attention: Phrase?
    /// "No signal" is played.
    public private(set) var simulated = false

    private let work: Workplace
    private let turns = Turns()
    private var totals: OutboxTotals?

    public init(_ work: Workplace) {
        self.work = work
        turns.follow(work.network.state.values()) { [weak self] in
            self?.simulated = $0.simulated
            self?.draw()
        }
        turns.follow(work.compass.observeOutboxTotals()) { [weak self] in
            self?.totals = $0
            self?.draw()
        }
    }

    public func open() { work.navigator.open(.outbox) }

    private func draw() {
        guard let totals else { return }
        let person = totals.needsPerson > 0 ? Phrase.count(.statusNeedsPerson, Int(totals.needsPerson)) : nil
        let waiting = Int(totals.pending)
        attention = person
        switch (work.network.state.value.now, waiting) {
        case (.offline, 1...): (sign, words) = (.noSignal, .count(.statusNoSignalWaiting, waiting))
        case (.offline, _): (sign, words) = (.noSignal, .text(.statusNoSignal))
        case (_, 1...): (sign, words) = (.waiting, .count(.statusWaiting, waiting))
        default:
            if let person { (sign, words, attention) = (.needsPerson, person, nil) } else { (sign, words) = (.allSent, .text(.statusAllSent)) }
        }
    }
}
