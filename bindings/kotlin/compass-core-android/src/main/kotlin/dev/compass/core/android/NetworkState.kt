package dev.compass.core.android

import dev.compass.core.model.Connectivity

/** What Android has said about the default network, and what that means for delivery. Pure: one value in, the next one out. */
internal data class NetworkState(
    private val network: Any?,
    private val means: Connectivity,
    private val blocked: Boolean = false,
) {
    val connectivity: Connectivity get() = if (blocked) Connectivity.Offline else means

    fun after(event: NetworkEvent): NetworkState = when (event) {
        is NetworkEvent.Changed -> NetworkState(event.network, event.traits.connectivity(), blocked && event.network == network)
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

/** What Android says. */
internal sealed interface NetworkEvent {
    /** This is the default network, and such it is. */
    data class Changed(val network: Any, val traits: NetworkTraits) : NetworkEvent

    /** It is gone, and no other has taken its place. */
    data class Lost(val network: Any) : NetworkEvent

    /** The app may not use it for now: Data Saver, Doze. From Android 10 (API 29). */
    data class Blocked(val network: Any, val blocked: Boolean) : NetworkEvent
}

/** The capabilities that matter. */
internal data class NetworkTraits(val internet: Boolean, val validated: Boolean, val notMetered: Boolean) {
    /** A network that does not lead to the internet is none. One that is not validated (a captive portal) is tried all the same. */
    fun connectivity(): Connectivity =
        if (internet) Connectivity.Online(validated = validated, metered = !notMetered) else Connectivity.Offline
}
