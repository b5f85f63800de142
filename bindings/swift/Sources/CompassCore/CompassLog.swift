import CompassInternal

/// The core's log. Holds neither secrets nor what a technician typed.
///
/// ```swift
/// try CompassLog.send(from: .info) { line in print(line.level, line.target, line.text) }
/// ```
public enum CompassLog {
    /// How much a line matters.
    public enum Level: Hashable, Sendable, Comparable {
        /// Something that should not happen did.
        case error
        /// Something is not as it should be, and the core copes with it.
        case warning
        /// Worth knowing.
        case info
        /// Of use to somebody who looks for a fault.
        case debug
        /// Everything.
        case trace
    }

    /// A line of the log.
    public struct Line: Hashable, Sendable {
        /// How much it matters.
        public let level: Level
        /// Which part of the core says it.
        public let target: String
        /// In English.
        public let text: String
    }

    /// Where it goes, for what this package says itself.
    private static let kept = Locked<(level: Level, sink: @Sendable (Line) -> Void)?>(nil)

    /// Sends the log of all handles of the process to `sink`, from `level` up, on a thread of the core's own, one line after the other; what this
    /// package says itself (its target is `compass_swift`) comes on the thread that says it. Without a sink it goes nowhere.
    public static func send(from level: Level, to sink: (@Sendable (Line) -> Void)?) throws {
        do {
            try setLogSink(sink: sink.map(Sink.init), level: level.core)
            kept.withLock { $0 = sink.map { (level, $0) } }
        } catch {
            throw CompassError.from(error)
        }
    }

    /// A line of this package.
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
