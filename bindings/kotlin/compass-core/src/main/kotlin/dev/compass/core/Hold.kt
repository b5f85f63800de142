package dev.compass.core

import java.io.Closeable
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/**
 * A reason to deliver and to keep connections open: the app is in the foreground, or a background job runs. When the last one is released,
 * the handle quiesces: nothing leaves before the next [Compass.resume]. It holds the database that the handle has open: also the next one
 * after [Compass.whileClosed], until the handle is quiesced or closed.
 *
 * ```kotlin
 * val hold = compass.resume()
 * compass.flush()
 * hold.release()
 * ```
 */
public interface Hold : Closeable {
    /** Releases it; releasing again does nothing. The last one takes up to two seconds. */
    public suspend fun release()

    /** [release] on this thread: do not call it on a main thread. */
    override fun close()
}

/**
 * Holds the handle while [work] runs, and releases it even if [work] fails.
 *
 * ```kotlin
 * compass.held { flush(20.seconds) }
 * ```
 */
public suspend fun <T> Compass.held(work: suspend Compass.() -> T): T {
    val hold = resume()
    try {
        return work()
    } finally {
        withContext(NonCancellable) { hold.release() }
    }
}
