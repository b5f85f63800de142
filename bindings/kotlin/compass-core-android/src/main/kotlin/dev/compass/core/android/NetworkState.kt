package dev.compass.core.android

import dev.compass.core.model.Connectivity

/** What Android has said about the default network, and what that means for delivery. Pure: one value in, the next one out. */
internal data class NetworkState(
    private val network: Long?,
    private val means: Connectivity,
    private val blocked: Boolean = false,
) {
    val connectivity: Connectivity get() = if (blocked) Connectivity.Offline else means

    fun after(event: NetworkEvent): NetworkState = when (event) {
        is NetworkEvent.Changed -> NetworkState(event.network, event.connectivity(), blocked && event.network == network)
        // The default may have moved on already: of the old one nobody wants to hear any more.
        is NetworkEvent.Lost -> if (event.network == network) NONE else this
        is NetworkEvent.Blocked -> if (event.network == network) copy(blocked = event.blocked) else this
    }

    companion object {
        /** Nothing has been said. */
        val UNKNOWN = NetworkState(null, Connectivity.Unknown)

        /** There is no network. */
        val NONE = NetworkState(null, Connectivity.Offline)
    }
}

/** What Android says, of a network by its handle. Android gives each network a new one, also when a phone comes back to the same Wi-Fi. */
internal sealed interface NetworkEvent {
    /** This is the default network, and such it is. */
    data class Changed(val network: Long, val traits: NetworkTraits) : NetworkEvent {
        /** A network that does not lead to the internet is none. One that is not validated (a captive portal) is tried all the same. */
        fun connectivity(): Connectivity =
            if (traits.internet) Connectivity.Online(traits.validated, !traits.notMetered, network) else Connectivity.Offline
    }

    /** It is gone, and no other has taken its place. */
    data class Lost(val network: Long) : NetworkEvent

    /** The app may not use it for now: Data Saver, Doze. From Android 10 (API 29). */
    data class Blocked(val network: Long, val blocked: Boolean) : NetworkEvent
}

/** The capabilities that matter. */
internal data class NetworkTraits(val internet: Boolean, val validated: Boolean, val notMetered: Boolean)
