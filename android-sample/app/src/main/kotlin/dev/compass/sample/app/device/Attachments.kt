package dev.compass.sample.app.device

import android.content.Context
import java.io.File
import java.security.MessageDigest
import java.util.UUID

/**
 * Photos and signatures. Their bytes stay here, in a folder that no backup takes along; a webhook carries their name, size and hash alone. Touches
 * the disk: not for the main thread.
 */
class Attachments(private val context: Context) {
    /** A new, empty file. */
    fun create(extension: String): File = File(folder(context).apply { mkdirs() }, "${UUID.randomUUID()}.$extension").apply { createNewFile() }

    /** The file of this name; it may be gone. */
    fun named(name: String): File = File(folder(context), File(name).name)

    /** SHA-256, as 64 lower-case hexadecimal digits. */
    fun sha256(file: File): String {
        val digest = MessageDigest.getInstance("SHA-256")
        file.inputStream().use { stream ->
            val some = ByteArray(CHUNK)
            while (true) {
                val read = stream.read(some)
                if (read < 0) break
                digest.update(some, 0, read)
            }
        }
        return digest.digest().joinToString("") { "%02x".format(it) }
    }

    companion object {
        private const val CHUNK = 64 * 1024

        internal fun folder(context: Context) = File(context.noBackupFilesDir, "attachments")
    }
}
