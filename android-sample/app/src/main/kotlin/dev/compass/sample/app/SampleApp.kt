package dev.compass.sample.app

import android.app.Application
import dev.compass.core.Compass
import dev.compass.core.CompassOptions
import dev.compass.core.android.AutomaticDelivery
import dev.compass.core.android.CompassAndroid
import dev.compass.core.android.CompassHost
import dev.compass.core.android.KeystoreSecretStore
import dev.compass.core.android.SharedCompass
import dev.compass.sample.app.device.PhonePreferences
import dev.compass.sample.app.device.PhoneSecrets
import dev.compass.sample.gateway.CompassGateway
import dev.compass.sample.gateway.SignalCompass
import dev.compass.sample.nav.Navigator
import dev.compass.sample.screen.Workplace
import java.util.Locale

/** The process: one handle, one place in the app, and delivery for as long as it lives. */
open class SampleApp : Application(), CompassHost {
    private val shared = SharedCompass {
        SignalCompass(CompassAndroid.open(this) { path, transport -> CompassOptions(path, secrets = secrets, transport = transport) })
    }
    private var place: Workplace? = null

    val preferences by lazy { PhonePreferences(this) }
    val secrets by lazy { PhoneSecrets(KeystoreSecretStore(this)) }

    /** Runs until the process ends; a logout would close it. */
    protected lateinit var delivery: AutomaticDelivery
        private set

    override fun onCreate() {
        super.onCreate()
        delivery = AutomaticDelivery.start(this, jobId = DELIVERY_JOB)
    }

    override suspend fun compass(): Compass = shared.get()

    /**
     * What screens work with; opens the database the first time. Of the main thread.
     *
     * @param saved where the technician was, when an earlier process was there.
     */
    suspend fun workplace(saved: String?): Workplace {
        val compass = shared.get() as SignalCompass
        return place ?: Workplace(
            gateway = CompassGateway(compass),
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
