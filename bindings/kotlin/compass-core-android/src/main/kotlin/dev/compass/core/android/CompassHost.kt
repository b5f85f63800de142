package dev.compass.core.android

import dev.compass.core.Compass

/**
 * Gives the app's one [Compass]. The app's `Application` implements it, because Android may start the process only for a background job,
 * long before any activity.
 *
 * ```kotlin
 * class FieldApp : Application(), CompassHost {
 *     val compass = CompassAndroid.lazy(this)
 *     override suspend fun compass(): Compass = compass
 * }
 * ```
 */
public interface CompassHost {
    /**
     * The handle: a lazy one ([CompassAndroid.lazy]), or an open one. Called from any thread, several times, also at the same time. If it
     * throws, a job is tried again later.
     */
    public suspend fun compass(): Compass
}
