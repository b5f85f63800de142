import CompassInternal

/// How important a record of the log is.
///
/// ```swift
/// try CompassLog.send(from: .warn) { record in print(record.text) }
/// ```
public enum LogLevel: Hashable, Sendable, Comparable {
    /// Something happened that should not happen.
    case error
    /// Something is wrong, and the core goes on.
    case warn
    /// Worth knowing.
    case info
    /// Useful to find an error.
    case debug
    /// Everything.
    case trace
}

/// A record of the log.
///
/// ```swift
/// let sink: @Sendable (LogRecord) -> Void = { record in print(record.text) }
/// ```
public struct LogRecord: Hashable, Sendable {
    /// How important it is.
    public let level: LogLevel
    /// The part of the core that logs it.
    public let target: String
    /// The text, in English.
    public let text: String
}

/// Where the core's log goes: nowhere, until ``send(from:to:)`` is called. One per process; all handles share it. It never contains a
/// secret, a text that a technician typed, or more of an address than its origin.
///
/// ```swift
/// try CompassLog.send(from: .info) { record in print(record.level, record.target, record.text) }
/// ```
public enum CompassLog {
    /// Where records of this package go.
    private static let kept = Locked<(level: LogLevel, sink: @Sendable (LogRecord) -> Void)?>(nil)

    /// Sends the log to the sink `to`, from the level `from` up, on a thread of the core's own, one record after the other. Records of this
    /// package (their target is `compass_swift`) come on the thread that logs them.
    public static func send(from level: LogLevel = .info, to sink: @escaping @Sendable (LogRecord) -> Void) throws {
        try set(Sink(sink), level)
        kept.withLock { $0 = (level, sink) }
    }

    /// Sends the log nowhere.
    public static func off() throws {
        try set(nil, .error)
        kept.withLock { $0 = nil }
    }

    private static func set(_ sink: Sink?, _ level: LogLevel) throws {
        do { try setLogSink(sink: sink, level: level.core) } catch { throw CompassError.from(error) }
    }

    /// Logs a record of this package.
    package static func say(_ level: LogLevel, _ text: String) {
        guard let (least, sink) = kept.withLock({ $0 }), level <= least else { return }
        sink(LogRecord(level: level, target: "compass_swift", text: text))
    }

    private final class Sink: CompassInternal.LogSink {
        private let sink: @Sendable (LogRecord) -> Void

        init(_ sink: @escaping @Sendable (LogRecord) -> Void) {
            self.sink = sink
        }

        func log(record: CompassInternal.LogRecord) throws {
            sink(LogRecord(level: LogLevel(record.level), target: record.target, text: record.text))
        }
    }
}

extension LogLevel {
    fileprivate var core: CompassInternal.LogLevel {
        switch self {
        case .error: .error
        case .warn: .warn
        case .info: .info
        case .debug: .debug
        case .trace: .trace
        }
    }

    fileprivate init(_ level: CompassInternal.LogLevel) {
        self =
            switch level {
            case .error: .error
            case .warn: .warn
            case .info: .info
            case .debug: .debug
            case .trace: .trace
            }
    }
}
