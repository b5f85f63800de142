package dev.compass.sample.gateway

/**
 * The app's one handle, and the way to put another database under it.
 *
 * ```kotlin
 * val gateway = CompassGateway(handles, network)
 * ```
 */
interface Handles {
    /** The path of the database, which need not open. */
    suspend fun path(): String

    /** The handle; opens it when none is open. */
    suspend fun get(): SignalCompass

    /**
     * Closes the handle and does [work]; who asks meanwhile waits, and gets another one. Once it has begun it runs to its end.
     */
    suspend fun whileClosed(work: suspend () -> Unit)
}
