package dev.compass.sample.app.device

import android.content.Context
import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.sample.port.ExportFolder
import java.io.File
import java.io.IOException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** A folder that no backup takes along; [SharedFiles] gives single files of it to other apps. */
class Exports(private val context: Context) : ExportFolder {
    override suspend fun path(name: String): String = withContext(Dispatchers.IO) {
        File(folder(context).apply { mkdirs() }, name).apply { delete() }.path
    }

    override suspend fun write(name: String, text: String): String = path(name).also { path ->
        withContext(Dispatchers.IO) {
            try {
                File(path).writeText(text)
            } catch (_: IOException) {
                throw CompassException(ErrorCode.DISK_FULL)
            }
        }
    }

    override suspend fun remove(path: String) {
        withContext(Dispatchers.IO) { File(path).delete() }
    }

    override suspend fun find(name: String): String? = withContext(Dispatchers.IO) { File(folder(context), name).takeIf { it.exists() }?.path }

    override suspend fun clear(keep: String?) {
        withContext(Dispatchers.IO) {
            Attachments.folder(context).deleteRecursively()
            val exports = folder(context)
            for (file in exports.listFiles().orEmpty()) if (file.name != keep) file.delete()
            exports.delete()
        }
    }

    companion object {
        internal fun folder(context: Context) = File(context.noBackupFilesDir, "exports")
    }
}
