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
    private var signal: Signal?
    private var numbers: OutboxNumbers?

    public init(_ work: Workplace) {
        self.work = work
        turns.follow(work.gateway.signal()) { [weak self] in
            self?.signal = $0
            self?.draw()
        }
        turns.follow(work.gateway.outboxNumbers()) { [weak self] in
            self?.numbers = $0
            self?.draw()
        }
        turns.follow(work.gateway.simulated()) { [weak self] in self?.simulated = $0 }
    }

    public func open() { work.navigator.open(.outbox) }

    private func draw() {
        guard let signal, let numbers else { return }
        let person = numbers.needsPerson > 0 ? Phrase.count(.statusNeedsPerson, numbers.needsPerson) : nil
        attention = person
        switch (signal, numbers.waiting) {
        case (.none, 1...): (sign, words) = (.noSignal, .count(.statusNoSignalWaiting, numbers.waiting))
        case (.none, _): (sign, words) = (.noSignal, .text(.statusNoSignal))
        case (_, 1...): (sign, words) = (.waiting, .count(.statusWaiting, numbers.waiting))
        default:
            if let person { (sign, words, attention) = (.needsPerson, person, nil) } else { (sign, words) = (.allSent, .text(.statusAllSent)) }
        }
    }
}
