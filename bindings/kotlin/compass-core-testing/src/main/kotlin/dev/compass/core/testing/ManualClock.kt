package dev.compass.core.testing

import dev.compass.core.TestClock
import java.time.Instant
import kotlin.time.Duration
import dev.compass.core.internal.testing.ManualClock as CoreClock

/**
 * A clock that only the test moves, and randomness that repeats: with it, session keys, delivery ids and delays are the same in every run.
 * Begins at 2027-01-15T08:00:00Z; local time is UTC. One per handle. The host library of `compass-core-jvm` has it; the libraries for
 * phones do not.
 *
 * ```kotlin
 * val clock = ManualClock()
 * val compass = Compass.open(CompassOptions(path, clock = clock))
 * clock.advance(5.minutes)
 * ```
 */
public class ManualClock private constructor(private val clock: CoreClock) : TestClock(clock::useFor) {
    /** A clock at its beginning. */
    public constructor() : this(CoreClock())

    /** The time that it shows. */
    public val now: Instant get() = clock.now()

    /** Time passes. The age of the database, by which `purge` counts, grows by seven days at most with each write. */
    public fun advance(by: Duration) {
        // The core takes less than a month at once.
        var left = by.inWholeMilliseconds
        while (left > 0) {
            val step = left.coerceAtMost(Int.MAX_VALUE.toLong())
            clock.advance(step.toInt())
            left -= step
        }
    }

    /** Somebody sets the phone's clock; no time passes. */
    public fun setWall(to: Instant) {
        clock.setWall(to)
    }
}
