package dev.compass.core.android

import android.net.Network

/**
 * The network of the running job. Android asks jobs to use that one; the default network may be another one, or blocked for the app.
 */
internal object JobNetwork {
    @Volatile
    var current: Network? = null
        private set

    /** Sends through [network] while [work] runs; one job at a time sets it. */
    suspend fun <T> using(network: Network?, work: suspend () -> T): T {
        current = network
        try {
            return work()
        } finally {
            // The next job may have begun before this one, which was stopped, has ended.
            if (current == network) current = null
        }
    }

    /** Android moved the running job to another network. */
    fun moved(network: Network?) {
        if (current != null) current = network
    }
}
