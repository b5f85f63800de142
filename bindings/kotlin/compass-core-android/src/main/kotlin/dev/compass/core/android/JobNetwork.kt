package dev.compass.core.android

import android.net.Network

/**
 * The network that the running job was given. Android asks jobs to use that one; the default network may be another, or closed to the app.
 */
internal object JobNetwork {
    @Volatile
    var current: Network? = null
        private set

    /** Sends through [network] while [work] runs; one job at a time has a say. */
    suspend fun <T> using(network: Network?, work: suspend () -> T): T {
        current = network
        try {
            return work()
        } finally {
            // Unless the next job has begun before this one, which was stopped, has come to its end.
            if (current == network) current = null
        }
    }

    /** Android moved the running job to another network. */
    fun moved(network: Network?) {
        if (current != null) current = network
    }
}
