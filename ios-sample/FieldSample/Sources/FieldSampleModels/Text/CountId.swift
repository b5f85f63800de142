/// The messages that depend on a number: plurals in `Localizable.xcstrings`, by `key`.
public enum CountId: String, CaseIterable, Sendable {
    /// "No signal: 3 saved, will send".
    case statusNoSignalWaiting
    /// "3 saved, sending".
    case statusWaiting
    /// "3 need you".
    case statusNeedsPerson
    /// "3 messages wait".
    case outboxWaiting
    /// "3 messages need you".
    case outboxNeedsPerson
    /// "3 tries".
    case attempts
    /// "Failed 3 times".
    case failedSends
    /// "At least 3 more steps".
    case stepsLeft
    /// "3 things are missing".
    case problems
    /// "3 messages will be sent".
    case willSend
    /// "3 more sessions in progress".
    case moreInProgress
    /// "3 are sent again".
    case sentAgain
    /// "2 messages will be sent again".
    case willSendAgain
    /// "1 message cannot be sent again: …".
    case cannotSendAgain
    /// "3 KB".
    case kilobytes
    /// "3 messages sent".
    case sentNow
    /// "3 messages are not delivered and would be lost".
    case undelivered
    /// "3 messages that were not sent are in it".
    case savedUnsent

    /// Its name in the catalog: `status_no_signal`.
    public var key: String { rawValue.catalogKey }
}
