package dev.compass.core.android

import dev.compass.core.model.Connectivity
import dev.compass.core.model.NetworkNeed
import dev.compass.core.model.NextDue
import java.time.Instant

/**
 * When the one job must run, and on which network. Pure.
 *
 * @property at not before this.
 * @property network the network that it needs.
 * @property atLatest then it runs on any network: other messages wait that do not need this network.
 */
internal data class JobPlan(val at: Instant, val network: NetworkNeed, val atLatest: Instant? = null) {
    /** The moment from which it runs on any network. */
    val onAny: Instant? get() = if (network == NetworkNeed.ANY) at else atLatest

    companion object {
        /** The plan for what the core reports as due; null when no message waits for time or a network. */
        fun of(due: NextDue, now: Instant, connectivity: Connectivity): JobPlan? {
            val wait = due.whenOnline
            // A job that waits for a network that is already there would run again and again.
            val any = moment(due.at, now.takeIf { wait == NetworkNeed.ANY }, connectivity.meets(NetworkNeed.ANY))
            val free = moment(due.atNeedsUnmetered, now.takeIf { wait == NetworkNeed.UNMETERED }, connectivity.meets(NetworkNeed.UNMETERED))
            return when {
                free == null -> any?.let { JobPlan(it, NetworkNeed.ANY) }
                any == null -> JobPlan(free, NetworkNeed.UNMETERED)
                any <= free -> JobPlan(any, NetworkNeed.ANY)
                else -> JobPlan(free, NetworkNeed.UNMETERED, atLatest = any)
            }
        }

        private fun moment(at: Instant?, onceOnline: Instant?, online: Boolean): Instant? =
            if (online) at ?: onceOnline else onceOnline ?: at
    }
}

/** Whether this is a network of that kind. */
internal fun Connectivity.meets(need: NetworkNeed): Boolean = this is Connectivity.Online && (need == NetworkNeed.ANY || !metered)
