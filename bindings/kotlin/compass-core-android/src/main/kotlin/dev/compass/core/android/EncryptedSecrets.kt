package dev.compass.core.android

import dev.compass.core.model.SecretLookup
import java.io.ByteArrayOutputStream
import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.security.GeneralSecurityException
import java.security.MessageDigest
import java.util.Base64
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * Secrets in files, each encrypted with AES-GCM by a key that is not kept here. A file can only be read under the name for which it was
 * written. After a crash a secret is the old or the new one, complete.
 *
 * @param key gives the key, if there is one; called at each use, because a key store may be locked now and open later.
 * @param makeKey makes the key. Called only to store a secret when there is no key: reading does not change the key store.
 */
internal class EncryptedSecrets(private val folder: File, private val key: () -> SecretKey?, private val makeKey: () -> SecretKey) {
    /** The one before stays as the previous one, if it can sign messages. If it cannot be read now, nothing changes. */
    @Synchronized
    fun set(name: String, secret: String) {
        val before = found(name)
        write(name, secret, if (before?.current == secret) before.previous else before?.current?.takeIf(::isSigningSecret))
    }

    @Synchronized
    fun endRotation(name: String) {
        found(name)?.let { if (it.previous != null) write(name, it.current, null) }
    }

    private fun write(name: String, current: String, previous: String?) {
        Files.createDirectories(folder.toPath())
        val file = file(name)
        val fresh = File(folder, file.name + ".new")
        FileOutputStream(fresh).use { out ->
            DataOutputStream(out).write(encrypt(name, current, previous))
            out.fd.sync()
        }
        Files.move(fresh.toPath(), file.toPath(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING)
    }

    @Synchronized
    fun remove(name: String) {
        Files.deleteIfExists(file(name).toPath())
    }

    @Synchronized
    fun removeAll() {
        for (file in folder.listFiles().orEmpty()) Files.deleteIfExists(file.toPath())
    }

    @Synchronized
    fun get(name: String): SecretLookup = try {
        found(name) ?: SecretLookup.Missing
    } catch (locked: GeneralSecurityException) {
        SecretLookup.Unavailable
    } catch (unreadable: IOException) {
        SecretLookup.Unavailable
    }

    private fun found(name: String): SecretLookup.Found? = try {
        file(name).takeIf { it.exists() }?.let { decrypt(name, it.readBytes()) }
    } catch (lost: AEADBadTagException) {
        // Encrypted with a key that does not exist any more, perhaps on another phone. A person must enter the secret again.
        null
    }

    private fun encrypt(name: String, current: String, previous: String?): ByteArray {
        val cipher = Cipher.getInstance(CIPHER)
        // The cipher makes the random bytes itself: a key store refuses others.
        cipher.init(Cipher.ENCRYPT_MODE, key() ?: makeKey())
        cipher.updateAAD(name.toByteArray())
        val plain = ByteArrayOutputStream()
        DataOutputStream(plain).run {
            writeUTF(current)
            writeBoolean(previous != null)
            previous?.let(::writeUTF)
        }
        check(cipher.iv.size == IV_BYTES) { "every provider of GCM makes 12 bytes" }
        return byteArrayOf(FORMAT) + cipher.iv + cipher.doFinal(plain.toByteArray())
    }

    private fun decrypt(name: String, encrypted: ByteArray): SecretLookup.Found {
        if (encrypted.size < HEAD || encrypted[0] != FORMAT) throw AEADBadTagException("not a encrypted secret")
        val key = key() ?: throw AEADBadTagException("its key does not exist any more")
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, encrypted, 1, IV_BYTES))
        cipher.updateAAD(name.toByteArray())
        return DataInputStream(cipher.doFinal(encrypted, HEAD, encrypted.size - HEAD).inputStream()).run {
            SecretLookup.Found(readUTF(), if (readBoolean()) readUTF() else null)
        }
    }

    // A secret's name may contain characters that a file name must not.
    private fun file(name: String) = File(folder, MessageDigest.getInstance("SHA-256").digest(name.toByteArray()).hex())

    private fun ByteArray.hex() = joinToString("") { "%02x".format(it) }

    private companion object {
        const val CIPHER = "AES/GCM/NoPadding"
        const val TAG_BITS = 128
        const val FORMAT: Byte = 1
        const val IV_BYTES = 12
        const val HEAD = 1 + IV_BYTES
    }
}

/** Whether this text can sign messages, as the core decides: `whsec_` and the base64, with padding, of 24 to 64 bytes. */
internal fun isSigningSecret(text: String): Boolean {
    val encoded = text.removePrefix(SIGNING_PREFIX)
    val key = try {
        Base64.getDecoder().decode(encoded)
    } catch (_: IllegalArgumentException) {
        return false
    }
    return text.startsWith(SIGNING_PREFIX) && key.size in SIGNING_BYTES && Base64.getEncoder().encodeToString(key) == encoded
}

private const val SIGNING_PREFIX = "whsec_"
private val SIGNING_BYTES = 24..64
