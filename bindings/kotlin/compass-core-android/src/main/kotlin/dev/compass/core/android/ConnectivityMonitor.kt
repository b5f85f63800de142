package dev.compass.core.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import dev.compass.core.model.Connectivity
import java.io.Closeable
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.update

/**
 * Watches the default network from its construction until [close].
 *
 * [AutomaticDelivery] keeps one while the app is in the foreground and reports to the core; use your own to show the network on a screen.
 * Needs the permission `ACCESS_NETWORK_STATE`, which the library's manifest has. May be used from any thread.
 *
 * ```kotlin
 * ConnectivityMonitor(context).use { monitor ->
 *     monitor.connectivity.collect { badge.isVisible = it == Connectivity.Offline }
 * }
 * ```
 */
public class ConnectivityMonitor(context: Context) : Closeable {
    private val manager = context.connectivityManager()
    private val state = MutableStateFlow(NetworkState.UNKNOWN)
    private val current = MutableStateFlow<Connectivity>(Connectivity.Unknown)
    private val closed = AtomicBoolean()

    /**
     * What is known of the network now, with Android's handle of it as its number, and then each change. `Unknown` when Android does not
     * let the app watch; attempts are then made without that knowledge. A network behind a captive portal is `Online` with `validated =
     * false`; one that the app may not use (Data Saver, Doze) is `Offline`.
     */
    public val connectivity: StateFlow<Connectivity> get() = current

    private val callback = object : ConnectivityManager.NetworkCallback() {
        override fun onCapabilitiesChanged(network: Network, capabilities: NetworkCapabilities) =
            take(NetworkEvent.Changed(network.networkHandle, capabilities.traits()))

        override fun onLost(network: Network) = take(NetworkEvent.Lost(network.networkHandle))

        // Android calls it from API 29 on.
        override fun onBlockedStatusChanged(network: Network, blocked: Boolean) =
            take(NetworkEvent.Blocked(network.networkHandle, blocked))
    }

    init {
        // Without a network there is no call of the callback, so the first state is read here.
        begin(manager.look())
        try {
            manager.registerDefaultNetworkCallback(callback)
        } catch (error: RuntimeException) {
            // Too many callbacks in the app, or a phone that refuses: delivery works without watching, too.
            closed.set(true)
            begin(NetworkState.UNKNOWN)
            Log.warn("the network cannot be watched", error)
        }
    }

    /** Ends watching; again does nothing. [connectivity] keeps its last value. */
    override fun close() {
        if (!closed.getAndSet(true)) manager.unregisterNetworkCallback(callback)
    }

    private fun begin(with: NetworkState) {
        state.value = with
        current.value = with.connectivity
    }

    private fun take(event: NetworkEvent) = synchronized(state) {
        state.update { it.after(event) }
        current.value = state.value.connectivity
    }
}

internal fun Context.connectivityManager(): ConnectivityManager =
    checkNotNull(getSystemService(ConnectivityManager::class.java)) { "every Android has it" }

/** The state of the default network now. */
internal fun ConnectivityManager.look(): NetworkState = activeNetwork?.let { look(it) } ?: NetworkState.NONE

/** The state of this network now; null when it is gone. */
internal fun ConnectivityManager.look(network: Network): NetworkState? =
    getNetworkCapabilities(network)?.let { NetworkState.NONE.after(NetworkEvent.Changed(network.networkHandle, it.traits())) }

private fun NetworkCapabilities.traits() = NetworkTraits(
    internet = hasCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET),
    validated = hasCapability(NetworkCapabilities.NET_CAPABILITY_VALIDATED),
    notMetered = hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED),
)
