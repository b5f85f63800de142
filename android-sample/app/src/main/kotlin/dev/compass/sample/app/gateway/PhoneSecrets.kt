package dev.compass.sample.app.gateway

import dev.compass.core.CompassException
import dev.compass.core.SecretStore
import dev.compass.core.android.KeystoreSecretStore
import dev.compass.core.model.SecretLookup
import dev.compass.sample.port.SecretVault
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.ProviderException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** The secrets of endpoints, in Android's key store: the settings write them, the core reads them when it signs, and no screen shows them. */
class PhoneSecrets(private val store: KeystoreSecretStore) : SecretVault, SecretStore by store {
    override suspend fun put(name: String, secret: String) = try {
        store.set(name, secret)
    } catch (_: GeneralSecurityException) {
        throw CompassException("secret_unavailable")
    } catch (_: ProviderException) {
        throw CompassException("secret_unavailable")
    } catch (_: IOException) {
        throw CompassException("secret_unavailable")
    }

    override suspend fun removeAll() = try {
        store.removeAll()
    } catch (_: IOException) {
        throw CompassException("secret_unavailable")
    }

    override suspend fun has(name: String): Boolean = withContext(Dispatchers.IO) { store.get(name) != SecretLookup.Missing }
}
