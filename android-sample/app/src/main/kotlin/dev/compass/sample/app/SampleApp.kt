package dev.compass.sample.app

import android.content.pm.ApplicationInfo
import android.os.StrictMode
import dev.compass.sample.app.device.PhonePreferences
import dev.compass.sample.app.gateway.CompassApplication
import dev.compass.sample.nav.Navigator
import dev.compass.sample.screen.Workplace
import java.util.Locale

/** The process: the core, what the technician chose, and one place in the app. */
open class SampleApp : CompassApplication(DELIVERY_JOB) {
    private var place: Workplace? = null

    val preferences by lazy { PhonePreferences(this) }

    override fun onCreate() {
        // In a debug build what keeps the main thread from drawing, or is left open, says so in the log.
        if (applicationInfo.flags and ApplicationInfo.FLAG_DEBUGGABLE != 0) StrictMode.enableDefaults()
        super.onCreate()
    }

    /**
     * What screens work with; opens the database the first time. Of the main thread.
     *
     * @param saved where the technician was, when an earlier process was there.
     */
    suspend fun workplace(saved: String?): Workplace {
        val compass = opened()
        return place ?: Workplace(
            compass,
            database,
            network,
            navigator = Navigator(saved ?: preferences.screens),
            preferences = preferences,
            locale = { resources.configuration.locales[0] ?: Locale.getDefault() },
        ).also { place = it }
    }

    companion object {
        /** Jobs of an app share their numbers; this app has no other. */
        internal const val DELIVERY_JOB = 4001
    }
}
