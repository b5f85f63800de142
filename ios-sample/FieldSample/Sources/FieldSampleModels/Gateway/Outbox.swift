import Foundation

/// The outbox in numbers.
public struct OutboxNumbers: Hashable, Sendable {
    public var waiting = 0, failed = 0, needsPerson = 0
    public var oldest: Date?
}

/// What "send now" did.
public struct SentNow: Hashable, Sendable {
    public let sent: Int, waiting: Int, offline: Bool
}

/// The network, as far as the phone knows.
public enum Signal: Hashable, Sendable { case unknown, none, online }

/// An endpoint of the webhooks integration. `secret` names its signing secret; none when messages are not signed. `failingReason` is why
/// nothing gets through to it, where waiting is no help.
public struct EndpointLine: Hashable, Sendable {
    public let key: String, url: String, secret: String?
    public var wifiOnly = false, enabled = true
    public var disabledReason: String?, failingReason: String?
    public var waiting = 0
}

/// What came of a test message.
public struct TestResult: Hashable, Sendable {
    public let delivered: Bool, status: Int?, outcome: String
}
