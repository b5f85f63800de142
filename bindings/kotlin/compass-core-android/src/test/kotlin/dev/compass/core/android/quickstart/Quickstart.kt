package dev.compass.core.android.quickstart

import android.app.Application
import dev.compass.core.Compass
import dev.compass.core.android.AutomaticDelivery
import dev.compass.core.android.CompassAndroid
import dev.compass.core.android.CompassHost
import dev.compass.core.answer
import dev.compass.core.complete
import dev.compass.core.model.Endpoint
import dev.compass.core.model.SessionKey
import dev.compass.core.model.Signing
import dev.compass.core.start

// The following code is in docs/embedding-android.md, line for line.
class FieldApp : Application(), CompassHost {
    val compass = CompassAndroid.lazy(this)
    override suspend fun compass(): Compass = compass
    override fun onCreate() = super.onCreate().also { AutomaticDelivery.start(this) }
}

suspend fun firstWebhook(compass: Compass, workflow: ByteArray, url: String): SessionKey {
    compass.importWorkflow(workflow)
    compass.setIntegrationEnabled(true)
    compass.putEndpoint(Endpoint("office", url, Signing.None))
    val arrived = compass.start("pump-check").view
    val atTheEnd = compass.answer(arrived, "on").view
    return compass.complete(atTheEnd).view.key
}
