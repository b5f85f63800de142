package dev.compass.core.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowNetwork
import org.robolectric.shadows.ShadowNetworkCapabilities

/** The networks around the phone, as Android reports them. */
class FakeNetworks(context: Context) {
    private val manager = context.getSystemService(ConnectivityManager::class.java)!!
    private val info = manager.activeNetworkInfo

    /** Whether a callback is registered. */
    val watched: Boolean get() = shadowOf(manager).networkCallbacks.isNotEmpty()

    init {
        none()
    }

    /** No signal. */
    fun none() {
        val gone = manager.activeNetwork
        shadowOf(manager).setActiveNetworkInfo(null)
        if (gone != null) each { onLost(gone) }
    }

    /** There is a network, with these traits. */
    fun network(validated: Boolean = true, metered: Boolean = false, internet: Boolean = true): Network {
        shadowOf(manager).setActiveNetworkInfo(info)
        val network = checkNotNull(manager.activeNetwork)
        val capabilities = capabilities(validated, metered, internet)
        shadowOf(manager).setNetworkCapabilities(network, capabilities)
        each {
            onAvailable(network)
            onCapabilitiesChanged(network, capabilities)
        }
        return network
    }

    /** A network beside the default one, which is not reported. */
    fun another(metered: Boolean = false): Network = ShadowNetwork.newInstance(OTHER).also {
        shadowOf(manager).setNetworkCapabilities(it, capabilities(validated = true, metered = metered, internet = true))
    }

    /** Data Saver or Doze blocks the network for the app. */
    fun blocked(network: Network, blocked: Boolean) = each { onBlockedStatusChanged(network, blocked) }

    private fun capabilities(validated: Boolean, metered: Boolean, internet: Boolean) = ShadowNetworkCapabilities.newInstance().also {
        shadowOf(it).clearCapabilities()
        if (internet) shadowOf(it).addCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET)
        if (validated) shadowOf(it).addCapability(NetworkCapabilities.NET_CAPABILITY_VALIDATED)
        if (!metered) shadowOf(it).addCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED)
    }

    private fun each(report: ConnectivityManager.NetworkCallback.() -> Unit) = shadowOf(manager).networkCallbacks.toList().forEach(report)

    private companion object {
        const val OTHER = 700
    }
}
