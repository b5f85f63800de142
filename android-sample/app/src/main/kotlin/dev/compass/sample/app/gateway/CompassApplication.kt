package dev.compass.sample.app.gateway

import android.app.Application
import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.CompassOptions
import dev.compass.core.android.AutomaticDelivery
import dev.compass.core.android.CompassAndroid
import dev.compass.core.android.CompassHost
import dev.compass.core.android.KeystoreSecretStore
import dev.compass.core.android.SharedCompass
import dev.compass.sample.gateway.CompassGateway
import dev.compass.sample.gateway.FieldGateway
import dev.compass.sample.gateway.GatewayFailure
import dev.compass.sample.gateway.SignalCompass

/**
 * An application with the core in it: one handle, and delivery for as long as the process lives. Beside this folder nothing of the app
 * knows the core.
 *
 * @param deliveryJob the number of the job that delivers while the app is away.
 */
abstract class CompassApplication(private val deliveryJob: Int) : Application(), CompassHost {
    private val shared = SharedCompass {
        SignalCompass(CompassAndroid.open(this) { path, transport -> CompassOptions(path, secrets = secrets, transport = transport) })
    }
    private var opened: FieldGateway? = null

    val secrets by lazy { PhoneSecrets(KeystoreSecretStore(this)) }

    /** Runs until the process ends; a logout would close it. */
    protected lateinit var delivery: AutomaticDelivery
        private set

    override fun onCreate() {
        super.onCreate()
        delivery = AutomaticDelivery.start(this, jobId = deliveryJob)
    }

    override suspend fun compass(): Compass = shared.get()

    /** What screens reach the core through; opens the database the first time, or says why it cannot. Of the main thread. */
    suspend fun gateway(): FieldGateway = opened ?: try {
        val compass = shared.get() as SignalCompass
        opened ?: CompassGateway(compass).also { opened = it }
    } catch (failure: CompassException) {
        throw GatewayFailure(failure.code)
    }
}
