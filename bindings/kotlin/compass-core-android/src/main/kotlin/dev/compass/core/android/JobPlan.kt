package dev.compass.core.android

import dev.compass.core.model.Connectivity
import dev.compass.core.model.NetworkNeed
import dev.compass.core.model.NextDue
import java.time.Instant

/**
 * When the one job is to run, and on what network. Pure.
 *
 * @property at not before this.
 * @property network what it needs.
 * @property atLatest run then on any network: there is a second reason that a wait for this network must not hide.
 */
internal data class JobPlan(val at: Instant, val network: NetworkNeed, val atLatest: Instant? = null) {
    /** From when on it runs on any network. */
    val onAny: Instant? get() = if (network == NetworkNeed.ANY) at else atLatest

    companion object {
        /** The plan for what the core says is due; none when neither time nor a network brings anything on. */
        fun of(due: NextDue, now: Instant, connectivity: Connectivity): JobPlan? {
            val wait = due.whenOnline
            // A network that is there already is no news: to wait for it would be to run again and again.
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

/** Whether this is a network of that sort. */
internal fun Connectivity.meets(need: NetworkNeed): Boolean = this is Connectivity.Online && (need == NetworkNeed.ANY || !metered)
