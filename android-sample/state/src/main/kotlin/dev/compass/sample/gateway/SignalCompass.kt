package dev.compass.sample.gateway

import dev.compass.core.Compass
import dev.compass.core.model.Connectivity
import dev.compass.core.model.FlushReport
import kotlin.time.Duration
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow

/**
 * A handle that hears what it is told of the network, so that the strip can show it, and that can play to be without one.
 *
 * Give it to everything that takes the handle:
 *
 * ```kotlin
 * private val shared = SharedCompass { SignalCompass(CompassAndroid.open(this)) }
 * ```
 */
class SignalCompass(private val core: Compass) : Compass by core {
    private val lock = Any()
    private var told: Connectivity = Connectivity.Unknown
    private val playing = MutableStateFlow(false)
    private val heard = MutableStateFlow(Signal.UNKNOWN)

    /** What the strip shows. */
    val signal: StateFlow<Signal> get() = heard

    /** Whether "no network" is played. */
    val simulated: StateFlow<Boolean> get() = playing

    override suspend fun setConnectivity(connectivity: Connectivity) = pass { told = connectivity }

    /** What is urgent goes through the lack of a network, but not through one that is played. */
    override suspend fun flush(deadline: Duration, urgent: Boolean): FlushReport = core.flush(deadline, urgent && !playing.value)

    /** Plays that there is no network, or stops doing so. */
    suspend fun simulateOffline(simulate: Boolean) = pass { playing.value = simulate }

    private suspend fun pass(change: () -> Unit) {
        val now = synchronized(lock) {
            change()
            val now = if (playing.value) Connectivity.Offline else told
            heard.value = when (now) {
                Connectivity.Unknown -> Signal.UNKNOWN
                Connectivity.Offline -> Signal.NONE
                is Connectivity.Online -> Signal.ONLINE
            }
            now
        }
        core.setConnectivity(now)
    }
}
