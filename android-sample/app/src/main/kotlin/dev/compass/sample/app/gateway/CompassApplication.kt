package dev.compass.sample.app.gateway

import android.app.Application
import dev.compass.core.Compass
import dev.compass.core.CompassOptions
import dev.compass.core.android.AutomaticDelivery
import dev.compass.core.android.CompassAndroid
import dev.compass.core.android.CompassHost
import dev.compass.core.android.KeystoreSecretStore
import dev.compass.sample.core.CompassDatabase
import dev.compass.sample.core.PhoneNetwork
import dev.compass.sample.core.SignalCompass
import dev.compass.sample.port.Database
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * An application with the core in it: one handle at a time, and delivery for as long as the process lives. Beside this folder the app
 * knows the core's model alone.
 *
 * @param deliveryJob the number of the job that delivers while the app is away.
 */
abstract class CompassApplication(private val deliveryJob: Int) : Application(), CompassHost {
    /** What the screens are told of the network. */
    val network = PhoneNetwork()
    private val compass = Compass.lazy(::file) {
        val core = CompassAndroid.open(this) { path, transport -> CompassOptions(path, secrets = secrets, transport = transport) }
        SignalCompass(core, network)
    }

    /** What can be done to the database although it does not open. */
    val database: Database = CompassDatabase(compass, ::file)

    val secrets by lazy { PhoneSecrets(KeystoreSecretStore(this)) }

    /** Runs until the process ends; a logout would end it. */
    protected lateinit var delivery: AutomaticDelivery
        private set

    override fun onCreate() {
        super.onCreate()
        delivery = AutomaticDelivery.start(this, jobId = deliveryJob)
    }

    override suspend fun compass(): Compass = compass

    private suspend fun file(): String = withContext(Dispatchers.IO) { CompassAndroid.databaseFile(this@CompassApplication).path }

    /** The handle for the screens; opens the database the first time, or says why it cannot. */
    suspend fun opened(): Compass = compass.also { it.opened() }
}
