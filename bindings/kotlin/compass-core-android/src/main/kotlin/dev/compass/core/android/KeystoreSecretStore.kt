package dev.compass.core.android

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import dev.compass.core.SecretStore
import dev.compass.core.model.SecretLookup
import java.io.File
import java.security.KeyStore
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/**
 * Keeps the secrets of endpoints on the phone: in files that are in no backup, encrypted with a key of Android's own key store that cannot
 * leave the phone. After each change call [dev.compass.core.Compass.secretsChanged].
 *
 * A secret that another phone or an earlier installation has encrypted counts as missing. When the key store does not answer, the secret
 * counts as unavailable, and the message waits.
 *
 * The key store exists only on phones: in this repository this class is compiled, but it has never run. What it does with the key is
 * tested.
 *
 * ```kotlin
 * val secrets = KeystoreSecretStore(context)
 * secrets.set("office", typed)
 * compass.secretsChanged()
 * ```
 */
public class KeystoreSecretStore(context: Context) : SecretStore {
    private val encrypted by lazy { EncryptedSecrets(File(context.applicationContext.noBackupFilesDir, "compass/secrets"), ::key, ::makeKey) }

    /**
     * Stores a secret. The one before it stays as the previous one, and messages are signed with both, until [endRotation]. If the one
     * before cannot sign messages, for example because it was mistyped, it is not kept. From any thread.
     */
    public suspend fun set(name: String, secret: String): Unit = change { encrypted.set(name, secret) }

    /** Removes the previous secret of this name: its receiver knows the new one. From any thread. */
    public suspend fun endRotation(name: String): Unit = change { encrypted.endRotation(name) }

    /** Removes the secret of this name; does nothing if there is none. From any thread. */
    public suspend fun remove(name: String): Unit = change { encrypted.remove(name) }

    /**
     * Removes every secret: for a phone that is returned, and for a database that was erased when it could not be read to get their names.
     * From any thread.
     */
    public suspend fun removeAll(): Unit = change { encrypted.removeAll() }

    /** The secret of this name. Blocks, and changes nothing in the key store. */
    public fun get(name: String): SecretLookup = encrypted.get(name)

    /** [get], the same for every origin: for the core, on its own threads. */
    override fun get(name: String, origin: String): SecretLookup = get(name)

    private suspend fun change(work: () -> Unit) = withContext(Dispatchers.IO + NonCancellable) { work() }

    private fun key(): SecretKey? = KeyStore.getInstance(STORE).apply { load(null) }.getKey(ALIAS, null) as SecretKey?

    private fun makeKey(): SecretKey {
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, STORE)
        generator.init(
            KeyGenParameterSpec.Builder(ALIAS, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .setKeySize(KEY_BITS)
                .build(),
        )
        return generator.generateKey()
    }

    private companion object {
        const val STORE = "AndroidKeyStore"
        const val ALIAS = "dev.compass.core.secrets"
        const val KEY_BITS = 256
    }
}
