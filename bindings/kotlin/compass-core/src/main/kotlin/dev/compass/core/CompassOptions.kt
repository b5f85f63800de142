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
 * @property path the database file; created if it does not exist, in a folder that exists. On local storage that only the app uses.
 * @property secrets looks secrets up. Without one, signed endpoints wait for their secret.
 * @property transport sends requests; when null the core's own (`https` with bundled certificate authorities). The libraries for phones
 *   have none of their own: there it must be given. See [HttpTransport].
 * @property retry when to try again and when to stop; [Compass.defaultRetryPolicy] when null.
 * @property extraRoots certificate authorities, in PEM, that the core's own transport trusts beside the bundled ones.
 * @property retention finished sessions are deleted this long after their end, as [Compass.purge] does it: a few when the database is
 *   opened, the others with [Compass.flush]. When null they stay until `purge` is called.
 * @property bodyRetention bodies of delivered messages are kept this long for review, but not longer than their session; 90 days when null.
 * @property device names the device: if a file is opened that was opened on another one before, its messages are numbered in a new series,
 *   because both devices may go on with it. Only its SHA-256 is stored, in the file, and it is never sent. `CompassAndroid` sets it if it is
 *   null; an empty text names none.
 * @property allowPlainHttpToLoopback allows endpoints with plain `http` to a loopback address, for tests and development.
 * @property commandDispatcher where writes run, one after the other, each for some milliseconds, and beside them the calls that begin and end
 *   delivery. Some of these, such as `quiesce`, block for up to two seconds, so more than one thread is better.
 * @property queryDispatcher where queries run. Separate from [commandDispatcher], so that no tap waits for a list or for [Compass.check].
 * @property deliveryDispatcher where `flush` and `testDelivery` run, which wait for the network. Separate from [commandDispatcher], so that
 *   no screen waits for a slow receiver.
 * @property clock only for tests: time that the test moves (`ManualClock` of `compass-core-testing`).
 */
public class CompassOptions(
    public val path: String,
    public val secrets: SecretStore? = null,
    public val transport: Transport? = null,
    public val retry: RetryPolicy? = null,
    public val extraRoots: List<String> = emptyList(),
    public val retention: Duration? = null,
    public val bodyRetention: Duration? = null,
    public var device: String? = null,
    public val allowPlainHttpToLoopback: Boolean = false,
    public val commandDispatcher: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(COMMANDS),
    public val queryDispatcher: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(QUERIES),
    public val deliveryDispatcher: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(DELIVERY),
    public val clock: TestClock? = null,
) {
    private companion object {
        // A write, and the calls that begin and end delivery.
        const val COMMANDS = 3

        // Two readers have work at a time; the copy of a backup and a check have connections of their own.
        const val QUERIES = 4

        // A flush and a test delivery.
        const val DELIVERY = 2
    }
}

/**
 * A clock for tests in [CompassOptions]. The only one is `ManualClock` of `compass-core-testing`:
 *
 * ```kotlin
 * val clock = ManualClock()
 * val compass = Compass.open(CompassOptions(path, clock = clock))
 * clock.advance(5.minutes)
 * ```
 *
 * @param useFor makes the next handle on this path use the clock.
 */
public abstract class TestClock protected constructor(internal val useFor: (path: String) -> Unit)
