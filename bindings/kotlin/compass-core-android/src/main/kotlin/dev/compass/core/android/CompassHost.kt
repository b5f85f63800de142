package dev.compass.core.android

import dev.compass.core.Compass

/**
 * The app's way to its one open [Compass]. Implemented by the app's `Application`, because Android may start the process for a background
 * job alone, long before any activity.
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
     * The handle: one that opens by itself ([CompassAndroid.lazy]), or an open one. Called from any thread, several times, also at the same time. What it throws is
     * taken as a failure of the moment: a job is tried again later.
     */
    public suspend fun compass(): Compass
}
