package dev.compass.sample.core

import dev.compass.core.Compass
import dev.compass.core.model.Connectivity
import dev.compass.core.model.FlushReport
import kotlin.time.Duration
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow

/** What the app was told of the network, and whether it plays to be without one. One per process: handles come and go. */
class PhoneNetwork {
    private var told: Connectivity = Connectivity.Unknown
    private val playing = MutableStateFlow(false)
    private val heard = MutableStateFlow<Connectivity>(Connectivity.Unknown)

    /** What the strip shows; offline while that is played. */
    val connectivity: StateFlow<Connectivity> get() = heard

    /** Whether "no network" is played. */
    val simulated: StateFlow<Boolean> get() = playing

    /** Plays to be without a network, or stops doing so; gives what a handle was told last. */
    @Synchronized
    fun play(simulated: Boolean): Connectivity {
        hear(simulated = simulated)
        return told
    }

    /** Hears something; gives what a handle is to know now. */
    @Synchronized
    internal fun hear(told: Connectivity = this.told, simulated: Boolean = playing.value): Connectivity {
        this.told = told
        playing.value = simulated
        return (if (simulated) Connectivity.Offline else told).also { heard.value = it }
    }
}

/**
 * A handle whose app hears what it is told of the network, so that the strip can show it, and can play to be without one.
 *
 * Give it to everything that takes the handle:
 *
 * ```kotlin
 * private val network = PhoneNetwork()
 * private val compass = Compass.lazy({ file }) { SignalCompass(CompassAndroid.open(this), network) }
 * ```
 */
class SignalCompass(private val core: Compass, private val network: PhoneNetwork) : Compass by core {
    override suspend fun setConnectivity(connectivity: Connectivity) = core.setConnectivity(network.hear(told = connectivity))

    /** What is urgent goes through the lack of a network, but not through one that is played. */
    override suspend fun flush(deadline: Duration, urgent: Boolean): FlushReport =
        core.flush(deadline, urgent && !network.simulated.value)
}
