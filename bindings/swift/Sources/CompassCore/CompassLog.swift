import CompassInternal

/// The core's log. It never contains a secret, a text that a technician typed, or more of an address than its origin.
///
/// ```swift
/// try CompassLog.send(from: .info) { line in print(line.level, line.target, line.text) }
/// ```
public enum CompassLog {
    /// How important a line is.
    public enum Level: Hashable, Sendable, Comparable {
        /// Something happened that should not happen.
        case error
        /// Something is wrong, and the core goes on.
        case warning
        /// Worth knowing.
        case info
        /// Useful to find an error.
        case debug
        /// Everything.
        case trace
    }

    /// A line of the log.
    public struct Line: Hashable, Sendable {
        /// How important it is.
        public let level: Level
        /// The part of the core that logs it.
        public let target: String
        /// The text, in English.
        public let text: String
    }

    /// Where lines of this package go.
    private static let kept = Locked<(level: Level, sink: @Sendable (Line) -> Void)?>(nil)

    /// Sends the log of all handles of the process to `sink`, from `level` up, on a thread of the core's own, one line after the other.
    /// Lines of this package (their target is `compass_swift`) come on the thread that logs them. Without a sink the log goes nowhere.
    public static func send(from level: Level, to sink: (@Sendable (Line) -> Void)?) throws {
        do {
            try setLogSink(sink: sink.map(Sink.init), level: level.core)
            kept.withLock { $0 = sink.map { (level, $0) } }
        } catch {
            throw CompassError.from(error)
        }
    }

    /// Logs a line of this package.
    package static func say(_ level: Level, _ text: String) {
        guard let (least, sink) = kept.withLock({ $0 }), level <= least else { return }
        sink(Line(level: level, target: "compass_swift", text: text))
    }

    private final class Sink: CompassInternal.LogSink {
        private let sink: @Sendable (Line) -> Void

        init(_ sink: @escaping @Sendable (Line) -> Void) {
            self.sink = sink
        }

        func log(record: LogRecord) throws {
            sink(Line(level: Level(record.level), target: record.target, text: record.text))
        }
    }
}

extension CompassLog.Level {
    fileprivate var core: LogLevel {
        switch self {
        case .error: .error
        case .warning: .warn
        case .info: .info
        case .debug: .debug
        case .trace: .trace
        }
    }

    fileprivate init(_ level: LogLevel) {
        self =
            switch level {
            case .error: .error
            case .warn: .warning
            case .info: .info
            case .debug: .debug
            case .trace: .trace
            }
    }
}
