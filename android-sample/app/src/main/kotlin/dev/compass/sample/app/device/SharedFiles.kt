package dev.compass.sample.app.device

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException

/**
 * Hands single files to other apps: to the camera a new, empty one to write its picture into, to a mail app an export to read. Not
 * exported: an app gets at the one address it was given, and only for as long as that lasts.
 */
class SharedFiles : ContentProvider() {
    override fun onCreate(): Boolean = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        if (uri.folder == EXPORTS && mode != "r") throw FileNotFoundException("only to be read")
        return ParcelFileDescriptor.open(file(uri), ParcelFileDescriptor.parseMode(mode))
    }

    override fun getType(uri: Uri): String = if (uri.folder == PHOTOS) "image/jpeg" else "application/octet-stream"

    override fun query(uri: Uri, columns: Array<String>?, where: String?, values: Array<String>?, order: String?): Cursor {
        val file = file(uri)
        val known = mapOf<String, Any>(OpenableColumns.DISPLAY_NAME to file.name, OpenableColumns.SIZE to file.length())
        val asked = (columns ?: known.keys.toTypedArray()).filter { it in known }
        return MatrixCursor(asked.toTypedArray()).apply { addRow(asked.map { known[it] }) }
    }

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null
    override fun update(uri: Uri, values: ContentValues?, where: String?, arguments: Array<String>?): Int = 0
    override fun delete(uri: Uri, where: String?, arguments: Array<String>?): Int = 0

    private val Uri.folder: String? get() = pathSegments.firstOrNull()

    private fun file(uri: Uri): File {
        val name = uri.lastPathSegment.orEmpty()
        val folder = folder(checkNotNull(context), uri.folder.orEmpty())
        // The name of a file and nothing else: no way out of the folder.
        if (folder == null || uri.pathSegments.size != 2 || !NAME.matches(name)) throw FileNotFoundException("no such file")
        return File(folder, name).also { if (!it.exists()) throw FileNotFoundException("no such file") }
    }

    companion object {
        private const val PHOTOS = "photos"
        private const val EXPORTS = "exports"
        private val NAME = Regex("[A-Za-z0-9][A-Za-z0-9._-]*")

        private fun folder(context: Context, name: String): File? = when (name) {
            PHOTOS -> Attachments.folder(context)
            EXPORTS -> Exports.folder(context)
            else -> null
        }

        /** The address of a photo. */
        fun photo(context: Context, file: File): Uri = address(context, PHOTOS, file)

        /** The address of an export. */
        fun export(context: Context, file: File): Uri = address(context, EXPORTS, file)

        private fun address(context: Context, folder: String, file: File): Uri =
            Uri.Builder().scheme("content").authority("${context.packageName}.files").appendPath(folder).appendPath(file.name).build()
    }
}
