package dev.compass.core.testing

import dev.compass.core.SecretStore
import dev.compass.core.model.SecretLookup
import java.util.concurrent.ConcurrentHashMap

/**
 * Secrets in memory.
 *
 * ```kotlin
 * val secrets = MemorySecretStore(mapOf("office" to "whsec_…"))
 * ```
 *
 * @param secrets the first ones, by name.
 */
public class MemorySecretStore(secrets: Map<String, String> = emptyMap()) : SecretStore {
    private val secrets = ConcurrentHashMap(secrets)

    /** Stores a secret. Then call `secretsChanged` of the handle. */
    public fun set(name: String, secret: String) {
        secrets[name] = secret
    }

    /** Removes the secret of this name; does nothing if there is none. */
    public fun remove(name: String) {
        secrets.remove(name)
    }

    override fun get(name: String, origin: String): SecretLookup = secrets[name]?.let { SecretLookup.Found(it, null) } ?: SecretLookup.Missing
}
