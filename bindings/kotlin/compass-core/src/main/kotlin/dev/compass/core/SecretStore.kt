package dev.compass.core

import dev.compass.core.model.SecretLookup

/**
 * Looks secrets up: the keys that sign webhooks, and the values of secret headers. The database holds only their names.
 *
 * ```kotlin
 * val secrets = SecretStore { name, _ -> vault[name]?.let { SecretLookup.Found(current = it, previous = null) } ?: SecretLookup.Missing }
 * ```
 */
public fun interface SecretStore {
    /**
     * The secret of this name, needed for an endpoint at [origin]: its scheme, host and port, as in `https://hooks.example:8443`. Called
     * once per delivery attempt, on a thread of the core's, several at once; may block. If it throws, that counts as
     * [SecretLookup.Unavailable]: the message waits and is tried again.
     */
    public fun get(name: String, origin: String): SecretLookup

    /**
     * A receiver at [origin] answered 401 or 403 to a request with this secret in a header: a token may have expired. Called once per
     * value, before the next [get] of the name, on a thread of the core's; may block while it fetches another token. If [get] then gives
     * another value, the message is tried once more at once. Never called for a signing secret. If it throws, that is ignored.
     */
    public fun refused(name: String, origin: String) {}
}
