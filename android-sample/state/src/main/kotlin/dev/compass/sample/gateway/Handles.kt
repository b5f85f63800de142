package dev.compass.sample.gateway

/**
 * The app's one handle, and the way to put another database under it.
 *
 * ```kotlin
 * val gateway = CompassGateway(handles, network)
 * ```
 */
interface Handles {
    /** The handle; opens it when none is open. */
    suspend fun get(): SignalCompass

    /**
     * Closes the handle and does [work] with the path of its database; who asks meanwhile waits, and gets another one. Once it has begun it
     * runs to its end.
     */
    suspend fun whileClosed(work: suspend (path: String) -> Unit)
}
