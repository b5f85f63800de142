package dev.compass.core.android

import dev.compass.core.model.Connectivity

/** What Android has reported about the default network, and what that means for delivery. Pure. */
internal data class NetworkState(
    private val network: Long?,
    private val means: Connectivity,
    private val blocked: Boolean = false,
) {
    val connectivity: Connectivity get() = if (blocked) Connectivity.Offline else means

    fun after(event: NetworkEvent): NetworkState = when (event) {
        is NetworkEvent.Changed -> NetworkState(event.network, event.connectivity(), blocked && event.network == network)
        // The default network may be another one already: the old one does not count any more.
        is NetworkEvent.Lost -> if (event.network == network) NONE else this
        is NetworkEvent.Blocked -> if (event.network == network) copy(blocked = event.blocked) else this
    }

    companion object {
        /** Nothing has been reported. */
        val UNKNOWN = NetworkState(null, Connectivity.Unknown)

        /** There is no network. */
        val NONE = NetworkState(null, Connectivity.Offline)
    }
}

/**
 * What Android reports of a network, with its handle. Android gives each network a new handle, also when a phone comes back to the same
 * Wi-Fi.
 */
internal sealed interface NetworkEvent {
    /** This is the default network, with these traits. */
    data class Changed(val network: Long, val traits: NetworkTraits) : NetworkEvent {
        /** A network without internet counts as no network. One that is not validated (a captive portal) is tried. */
        fun connectivity(): Connectivity =
            if (traits.internet) Connectivity.Online(traits.validated, !traits.notMetered, network) else Connectivity.Offline
    }

    /** It is gone, and there is no other default network. */
    data class Lost(val network: Long) : NetworkEvent

    /** The app may not use it for now: Data Saver, Doze. From Android 10 (API 29). */
    data class Blocked(val network: Long, val blocked: Boolean) : NetworkEvent
}

/** The capabilities that matter. */
internal data class NetworkTraits(val internet: Boolean, val validated: Boolean, val notMetered: Boolean)
