package dev.compass.core

import dev.compass.core.internal.setLogSink
import java.util.logging.Level
import java.util.logging.Logger
import dev.compass.core.internal.LogLevel as CoreLogLevel
import dev.compass.core.internal.LogRecord as CoreLogRecord
import dev.compass.core.internal.LogSink as CoreLogSink

/**
 * Takes the core's log. It never contains a secret, a text that a technician typed, or more of an address than its origin.
 *
 * ```kotlin
 * CompassLog.send(from = LogLevel.DEBUG) { record -> println("${record.level} ${record.target}: ${record.text}") }
 * ```
 */
public fun interface LogSink {
    /** Takes one record. Called on a thread of its own, one record after the other; it may call the core. If it throws, that is ignored. */
    public fun log(record: LogRecord)
}

/**
 * A record of the log.
 *
 * ```kotlin
 * val sink = LogSink { record -> println(record.text) }
 * ```
 *
 * @property level how important it is.
 * @property target the part of the core that logs it.
 * @property text the text, in English.
 */
public class LogRecord(public val level: LogLevel, public val target: String, public val text: String)

/**
 * How important a record of the log is.
 *
 * ```kotlin
 * CompassLog.send(from = LogLevel.WARN, to = JavaLog())
 * ```
 */
public enum class LogLevel {
    /** Something happened that should not happen. */
    ERROR,

    /** Something is wrong, and the core goes on. */
    WARN,

    /** Worth knowing. */
    INFO,

    /** Useful to find an error. */
    DEBUG,

    /** Everything. */
    TRACE,
}

/**
 * Where the core's log goes: nowhere, until [send] is called. One per process; all handles share it.
 *
 * ```kotlin
 * CompassLog.send(to = JavaLog())
 * ```
 */
public object CompassLog {
    /** Sends the log to the sink [to], from the level [from] up. Loads the library: not on a main thread before the first [Compass.open]. */
    public fun send(from: LogLevel = LogLevel.INFO, to: LogSink) {
        calling { setLogSink(LogSinkOfCore(to), CoreLogLevel.valueOf(from.name)) }
    }

    /** Sends the log nowhere. */
    public fun off() {
        calling { setLogSink(null, CoreLogLevel.ERROR) }
    }
}

/**
 * The core's log in `java.util.logging`, which on Android ends in logcat.
 *
 * ```kotlin
 * CompassLog.send(from = LogLevel.DEBUG, to = JavaLog(Logger.getLogger("field-app.compass")))
 * ```
 */
public class JavaLog(private val logger: Logger = Logger.getLogger("dev.compass.core")) : LogSink {
    override fun log(record: LogRecord) {
        logger.log(record.level.java, "{0}: {1}", arrayOf(record.target, record.text))
    }

    private val LogLevel.java: Level
        get() = when (this) {
            LogLevel.ERROR -> Level.SEVERE
            LogLevel.WARN -> Level.WARNING
            LogLevel.INFO -> Level.INFO
            LogLevel.DEBUG -> Level.FINE
            LogLevel.TRACE -> Level.FINER
        }
}

private class LogSinkOfCore(private val sink: LogSink) : CoreLogSink {
    override fun log(record: CoreLogRecord) = sink.log(LogRecord(LogLevel.valueOf(record.level.name), record.target, record.text))
}
