package dev.compass.core.android

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.SecretLookup
import dev.compass.core.testing.WebhookSink
import java.io.File
import java.security.KeyStoreException
import java.util.Base64
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** Secrets in files, with a key of the test instead of Android's. */
class EncryptedSecretsTest : OnAPhone() {
    @get:Rule
    val folder = TemporaryFolder()
    private var key: () -> SecretKey? = fresh().let { made -> { made } }
    private lateinit var secrets: EncryptedSecrets

    private fun store(folder: File = File(this.folder.root, "secrets")) =
        EncryptedSecrets(folder, { key() }, { fresh().also { made -> key = { made } } })

    private fun fresh(): SecretKey = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey()

    @Before
    fun anEmptyStore() {
        secrets = store()
    }

    private val files get() = File(folder.root, "secrets").listFiles().orEmpty()

    @Test
    fun `a stored secret is found, also by the next process`() {
        secrets.set("office", SECRET)
        secrets.set("office", "new")
        secrets.set("lab", "alone")
        val next = store()
        assertEquals(SecretLookup.Found("new", SECRET), next.get("office"))
        assertEquals(SecretLookup.Found("alone", null), next.get("lab"))
    }

    @Test
    fun `a secret that was never stored or was removed is missing`() {
        assertEquals(SecretLookup.Missing, secrets.get("office"))
        secrets.set("office", "secret")
        secrets.remove("office")
        secrets.remove("office")
        assertEquals(SecretLookup.Missing, secrets.get("office"))
        assertTrue(files.isEmpty())
    }

    @Test
    fun `all are removed, under any name`() {
        secrets.removeAll()
        for (name in listOf("office", "lab")) secrets.set(name, "secret")
        secrets.removeAll()
        assertEquals(SecretLookup.Missing, secrets.get("lab"))
        assertTrue(files.isEmpty())
    }

    private val found get() = secrets.get("office") as SecretLookup.Found

    @Test
    fun `a new secret keeps the one before it until the rotation ends`() {
        secrets.set("office", SECRET)
        assertEquals(SecretLookup.Found(SECRET, null), found)
        secrets.set("office", OTHER)
        secrets.set("office", OTHER)
        assertEquals(SecretLookup.Found(OTHER, SECRET), found)
        secrets.endRotation("office")
        secrets.endRotation("office")
        assertEquals(SecretLookup.Found(OTHER, null), found)
        secrets.endRotation("lab")
        assertEquals(SecretLookup.Missing, secrets.get("lab"))
    }

    @Test
    fun `a text before it that cannot sign messages is not kept as the previous one`() {
        val encoder = Base64.getEncoder()
        fun previous(text: String): String? {
            secrets.set("office", text)
            secrets.set("office", SECRET)
            return found.previous
        }
        for (bytes in listOf(24, 25, 26, 64)) "whsec_${encoder.encodeToString(ByteArray(bytes))}".let { assertEquals(it, previous(it)) }
        val unpadded = "whsec_" + encoder.withoutPadding().encodeToString(ByteArray(25))
        for (bytes in listOf(0, 23, 65)) assertNull(previous("whsec_${encoder.encodeToString(ByteArray(bytes))}"))
        for (text in listOf("", SECRET.removePrefix("whsec_"), "WHSEC_" + SECRET.drop(6), "whsec_mistyped", "$SECRET ", unpadded)) {
            assertNull(text, previous(text))
        }
    }

    @Test
    fun `a previous secret that cannot be read now is not lost`() {
        secrets.set("office", SECRET)
        val before = key
        key = { throw KeyStoreException("locked") }
        assertThrows(KeyStoreException::class.java) { secrets.set("office", OTHER) }
        assertThrows(KeyStoreException::class.java) { secrets.endRotation("office") }
        key = before
        assertEquals(SecretLookup.Found(SECRET, null), found)
    }

    @Test
    fun `reading makes no key, and storing makes one only if there is none`() {
        secrets.set("office", "secret")
        val kept = key()
        secrets.set("office", "secret")
        assertSame(kept, key())
        key = { null }
        assertEquals(SecretLookup.Missing, secrets.get("office"))
        assertEquals(SecretLookup.Missing, secrets.get("lab"))
        assertNull(key())
        secrets.set("office", "again")
        assertEquals(SecretLookup.Found("again", null), secrets.get("office"))
    }

    @Test
    fun `neither the secret nor its name is readable in the files, and each encryption differs`() {
        secrets.set("office", "very-secret")
        val first = files.single().readBytes()
        assertFalse(first.decodeToString().contains("very-secret"))
        assertFalse(files.single().name.contains("office"))
        secrets.set("office", "very-secret")
        assertFalse(first.contentEquals(files.single().readBytes()))
    }

    @Test
    fun `without its key a secret is missing, and when the key store does not answer it is unavailable`() {
        secrets.set("office", "secret")
        val before = key
        key = { throw KeyStoreException("locked") }
        assertEquals(SecretLookup.Unavailable, secrets.get("office"))
        val other = fresh()
        key = { other }
        assertEquals(SecretLookup.Missing, secrets.get("office"))
        key = before
        assertEquals(SecretLookup.Found("secret", null), secrets.get("office"))
    }

    @Test
    fun `a file that was damaged, shortened or renamed holds no secret`() {
        secrets.set("office", "secret")
        val file = files.single()
        val good = file.readBytes()
        for (at in good.indices) {
            file.writeBytes(good.copyOf().also { it[at] = (it[at] + 1).toByte() })
            assertEquals("byte $at", SecretLookup.Missing, secrets.get("office"))
        }
        for (size in good.indices) {
            file.writeBytes(good.copyOf(size))
            assertEquals("$size bytes", SecretLookup.Missing, secrets.get("office"))
        }
        file.writeBytes(good)
        secrets.set("lab", "other")
        good.let { bytes -> files.first { it != file }.writeBytes(bytes) }
        assertEquals(SecretLookup.Missing, secrets.get("lab"))
    }

    @Test
    fun `when the secret is stored later the message is sent`() {
        networks.network()
        val office = WebhookSink().closing()
        app.secrets = dev.compass.core.SecretStore { name, _ -> secrets.get(name) }
        val compass = ready(office.url)
        val session = compass.completed()
        wait { compass.flush() }
        assertEquals(ActionStatus.PENDING, compass.action(session).status)
        assertEquals("secret_missing", compass.action(session).deliveries.single().reason)

        secrets.set("office-secret", SECRET)
        wait { compass.secretsChanged() }
        wait { compass.flush() }

        assertTrue(office.await().isSignedWith(SECRET))
        assertEquals(ActionStatus.SENT, compass.action(session).status)
    }

    @Test
    fun `without the key store a stored secret is unavailable, not missing`() {
        // Robolectric has no AndroidKeyStore: as on a phone whose key store does not answer.
        val store = KeystoreSecretStore(app)
        assertEquals(SecretLookup.Missing, store.get("office"))
        store(File(app.noBackupFilesDir, "compass/secrets")).set("office", "secret")
        assertEquals(SecretLookup.Unavailable, store.get("office"))
    }

    private companion object {
        const val OTHER = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
    }
}
