package dev.compass.sample.app.device

import android.Manifest
import android.annotation.SuppressLint
import android.content.Context
import android.content.pm.PackageManager
import android.location.Location
import android.location.LocationListener
import android.location.LocationManager
import android.os.Bundle
import android.os.Handler
import android.os.Looper

/** Where the phone is, asked once when a technician wants to know. Outlives a rotation, like who waits for it. Of the main thread. */
class Places(private val context: Context) {
    private val manager = context.getSystemService(LocationManager::class.java)
    private val main = Handler(Looper.getMainLooper())
    private var asking: LocationListener? = null
    private val giveUp = Runnable { answer(null) }
    private var tell: ((Location?) -> Unit)? = null

    val allowed: Boolean
        get() = PERMISSIONS.any { context.checkSelfPermission(it) == PackageManager.PERMISSION_GRANTED }

    /** Asks; [tell] gets the place, or null where there is none to be had within half a minute. A new request ends the one before. */
    @SuppressLint("MissingPermission")
    fun ask(tell: (Location?) -> Unit) {
        cancel()
        this.tell = tell
        val provider = manager?.let { all -> PROVIDERS.firstOrNull { it in all.allProviders && all.isProviderEnabled(it) } }
        if (manager == null || provider == null || !allowed) return answer(null)
        val listener = Listener()
        asking = listener
        main.postDelayed(giveUp, PATIENCE_MILLIS)
        manager.requestLocationUpdates(provider, 0L, 0f, listener, Looper.getMainLooper())
    }

    fun cancel() {
        asking?.let { manager?.removeUpdates(it) }
        asking = null
        tell = null
        main.removeCallbacks(giveUp)
    }

    private fun answer(place: Location?) {
        val told = tell
        cancel()
        told?.invoke(place)
    }

    // With all its methods: before Android 11 they are abstract.
    private inner class Listener : LocationListener {
        override fun onLocationChanged(place: Location) = answer(place)

        @Deprecated("Android 9 and older call it")
        override fun onStatusChanged(provider: String?, status: Int, extras: Bundle?) = Unit
        override fun onProviderEnabled(provider: String) = Unit
        override fun onProviderDisabled(provider: String) = answer(null)
    }

    companion object {
        val PERMISSIONS = arrayOf(Manifest.permission.ACCESS_FINE_LOCATION, Manifest.permission.ACCESS_COARSE_LOCATION)
        private val PROVIDERS = listOf(LocationManager.GPS_PROVIDER, LocationManager.NETWORK_PROVIDER)
        private const val PATIENCE_MILLIS = 30_000L
    }
}
