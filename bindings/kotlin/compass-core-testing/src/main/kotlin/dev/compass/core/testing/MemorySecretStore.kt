package dev.compass.core.testing

import dev.compass.core.SecretStore
import dev.compass.core.model.SecretLookup
import java.util.Base64
import java.util.concurrent.ConcurrentHashMap

/**
 * Secrets in memory, which are rotated as in the stores for phones.
 *
 * ```kotlin
 * val secrets = MemorySecretStore(mapOf("office" to "whsec_…"))
 * ```
 *
 * @param secrets the first ones, by name.
 */
public class MemorySecretStore(secrets: Map<String, String> = emptyMap()) : SecretStore {
    private val found = ConcurrentHashMap(secrets.mapValues { (_, secret) -> SecretLookup.Found(secret, null) })

    /**
     * Stores a secret. The one before it stays as the previous one, and messages are signed with both, until [endRotation]; a text that
     * cannot sign a message is not kept. Then call `secretsChanged` of the handle.
     */
    public fun set(name: String, secret: String) {
        found.compute(name) { _, before ->
            SecretLookup.Found(secret, if (before?.current == secret) before.previous else before?.current?.takeIf(::canSign))
        }
    }

    /** Removes the previous secret of this name: its receiver knows the new one. */
    public fun endRotation(name: String) {
        found.computeIfPresent(name) { _, now -> SecretLookup.Found(now.current, null) }
    }

    /** Removes the secrets of this name; does nothing if there is none. */
    public fun remove(name: String) {
        found.remove(name)
    }

    override fun get(name: String, origin: String): SecretLookup = found[name] ?: SecretLookup.Missing

    private fun canSign(text: String) = text.startsWith(PREFIX) &&
        runCatching { Base64.getDecoder().decode(text.removePrefix(PREFIX)).size in KEY_BYTES }.getOrDefault(false)

    private companion object {
        const val PREFIX = "whsec_"
        val KEY_BYTES = 24..64
    }
}
