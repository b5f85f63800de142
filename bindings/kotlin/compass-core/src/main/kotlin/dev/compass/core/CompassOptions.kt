package dev.compass.core

import dev.compass.core.model.RetryPolicy
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers

/**
 * How a database is opened.
 *
 * ```kotlin
 * val options = CompassOptions(
 *     path = File(folder, "compass.db").path,
 *     secrets = { name, _ -> vault[name]?.let { SecretLookup.Found(it, null) } ?: SecretLookup.Missing },
 * )
 * ```
 *
 * @property path the database file; made when it is not there, in a folder that is. On local storage that the app owns alone.
 * @property secrets looks secrets up. Without one, signed endpoints wait for their secret.
 * @property transport sends requests; the core's own (`https` with bundled certificate authorities) when null. The libraries for phones have
 *   none of their own: there it has to be given. See [HttpTransport].
 * @property retry when to try again and when to stop; [Compass.defaultRetryPolicy] when null.
 * @property extraRoots certificate authorities, in PEM, that the core's own transport trusts beside the bundled ones.
 * @property retention finished sessions go this long after their end, as [Compass.purge] takes them: a few when the database is opened, the
 *   others with [Compass.flush]. When null they stay until `purge` is called.
 * @property bodyRetention bodies of delivered messages are kept this long for review, and go when sessions do; 90 days when null.
 * @property allowPlainHttpToLoopback allows endpoints with plain `http` to a loopback address, for tests and development.
 * @property commands where writes run, one after the other, each for some milliseconds, and what begins and ends delivery beside them:
 *   `quiesce` and its like block for up to two seconds, so more than one thread is better.
 * @property queries where queries run. Apart from [commands], so that no list and no [Compass.check] holds a tap up.
 * @property delivery where what waits for a network runs: `flush` and `testDelivery`. Apart from [commands], so that a slow receiver
 *   holds no screen up.
 * @property clock for tests alone: time that moves by hand (`ManualClock` of `compass-core-testing`).
 */
public class CompassOptions(
    public val path: String,
    public val secrets: SecretStore? = null,
    public val transport: Transport? = null,
    public val retry: RetryPolicy? = null,
    public val extraRoots: List<String> = emptyList(),
    public val retention: Duration? = null,
    public val bodyRetention: Duration? = null,
    public val allowPlainHttpToLoopback: Boolean = false,
    public val commands: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(COMMANDS),
    public val queries: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(QUERIES),
    public val delivery: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(DELIVERY),
    public val clock: TestClock? = null,
) {
    private companion object {
        // A write, and what begins and ends delivery.
        const val COMMANDS = 3

        // Two readers have work at a time; the copy of a backup and a check have connections of their own.
        const val QUERIES = 4

        // A flush and a test delivery.
        const val DELIVERY = 2
    }
}

/**
 * The place of a clock for tests in [CompassOptions]. The one there is is `ManualClock` of `compass-core-testing`:
 *
 * ```kotlin
 * val clock = ManualClock()
 * val compass = Compass.open(CompassOptions(path, clock = clock))
 * clock.advance(5.minutes)
 * ```
 *
 * @param useFor tells the core that the next handle on this path goes by the clock.
 */
public abstract class TestClock protected constructor(internal val useFor: (path: String) -> Unit)
