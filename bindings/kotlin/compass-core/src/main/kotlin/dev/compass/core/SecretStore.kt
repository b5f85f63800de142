package dev.compass.core

import dev.compass.core.model.SecretLookup

/**
 * Looks secrets up: the keys that sign webhooks, and the values of secret headers. The database holds their names alone.
 *
 * ```kotlin
 * val secrets = SecretStore { name -> vault[name]?.let { SecretLookup.Found(current = it, previous = null) } ?: SecretLookup.Missing }
 * ```
 */
public fun interface SecretStore {
    /**
     * The secret of this name. Called once per delivery attempt, on a thread of the core's, several at once; may block. What it throws
     * counts as [SecretLookup.Unavailable]: the message waits and is looked at again.
     */
    public fun get(name: String): SecretLookup
}
