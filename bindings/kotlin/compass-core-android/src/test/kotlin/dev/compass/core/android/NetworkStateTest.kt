package dev.compass.core.android

import dev.compass.core.model.Connectivity
import org.junit.Assert.assertEquals
import org.junit.Test

/** What Android reports of networks, and what is reported to the core. */
class NetworkStateTest {
    private fun connectivityAfter(vararg events: NetworkEvent) = events.fold(NetworkState.UNKNOWN) { state, event -> state.after(event) }.connectivity

    private fun changed(network: Long, internet: Boolean = true, validated: Boolean = true, notMetered: Boolean = true) =
        NetworkEvent.Changed(network, NetworkTraits(internet, validated, notMetered))

    @Test
    fun `without a report the network is unknown`() = assertEquals(Connectivity.Unknown, connectivityAfter())

    @Test
    fun `the traits of a network are passed on`() {
        for (validated in listOf(false, true)) for (free in listOf(false, true)) {
            assertEquals(Connectivity.Online(validated, !free, 1), connectivityAfter(changed(1, validated = validated, notMetered = free)))
        }
    }

    @Test
    fun `a network without internet counts as no network`() =
        assertEquals(Connectivity.Offline, connectivityAfter(changed(1, internet = false)))

    @Test
    fun `a login page that was passed makes the network validated`() =
        assertEquals(Connectivity.Online(true, false, 1), connectivityAfter(changed(1, validated = false), changed(1, validated = true)))

    @Test
    fun `the lost network is gone`() = assertEquals(Connectivity.Offline, connectivityAfter(changed(1), NetworkEvent.Lost(1)))

    @Test
    fun `the loss of the network before does not count`() =
        assertEquals(Connectivity.Online(true, true, 2), connectivityAfter(changed(1), changed(2, notMetered = false), NetworkEvent.Lost(1)))

    @Test
    fun `a blocked network counts as no network until it is unblocked`() {
        assertEquals(Connectivity.Offline, connectivityAfter(changed(1), NetworkEvent.Blocked(1, true)))
        assertEquals(Connectivity.Offline, connectivityAfter(changed(1), NetworkEvent.Blocked(1, true), changed(1, validated = false)))
        assertEquals(Connectivity.Online(true, false, 1), connectivityAfter(changed(1), NetworkEvent.Blocked(1, true), NetworkEvent.Blocked(1, false)))
    }

    @Test
    fun `another network is not blocked because the last one was`() =
        assertEquals(Connectivity.Online(true, false, 2), connectivityAfter(changed(1), NetworkEvent.Blocked(1, true), changed(2)))

    @Test
    fun `reports about a network that is not the default do not count`() =
        assertEquals(Connectivity.Online(true, false, 1), connectivityAfter(changed(1), NetworkEvent.Blocked(2, true)))
}
