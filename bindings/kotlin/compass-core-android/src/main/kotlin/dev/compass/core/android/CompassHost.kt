package dev.compass.core.android

import dev.compass.core.Compass

/**
 * The app's way to its one open [Compass]. Implemented by the app's `Application`, because Android may start the process for a background
 * job alone, long before any activity.
 *
 * ```kotlin
 * class FieldApp : Application(), CompassHost {
 *     private val shared = SharedCompass { CompassAndroid.open(this) }
 *     override suspend fun compass(): Compass = shared.get()
 * }
 * ```
 */
public interface CompassHost {
    /**
     * The open handle; opens it when it is not open yet. Called from any thread, several times, also at the same time. What it throws is
     * taken as a failure of the moment: a job is tried again later.
     */
    public suspend fun compass(): Compass
}
