package dev.compass.sample.app.device

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import java.io.File
import java.io.FileNotFoundException

/**
 * Hands one new, empty file to the camera app, to write its picture into. Not exported: a camera gets at the one address it was given, and
 * only for as long as that lasts.
 */
class PhotoProvider : ContentProvider() {
    override fun onCreate(): Boolean = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        val name = uri.lastPathSegment.orEmpty()
        // The name of a file and nothing else: no way out of the folder.
        if (!NAME.matches(name)) throw FileNotFoundException("no such photo")
        val file = File(Attachments.folder(checkNotNull(context)), name)
        if (!file.exists()) throw FileNotFoundException("no such photo")
        return ParcelFileDescriptor.open(file, ParcelFileDescriptor.parseMode(mode))
    }

    override fun getType(uri: Uri): String = "image/jpeg"

    override fun query(uri: Uri, columns: Array<String>?, where: String?, values: Array<String>?, order: String?): Cursor? = null
    override fun insert(uri: Uri, values: ContentValues?): Uri? = null
    override fun update(uri: Uri, values: ContentValues?, where: String?, arguments: Array<String>?): Int = 0
    override fun delete(uri: Uri, where: String?, arguments: Array<String>?): Int = 0

    companion object {
        private val NAME = Regex("[a-z0-9-]+\\.jpg")

        fun address(context: Context, file: File): Uri =
            Uri.Builder().scheme("content").authority("${context.packageName}.photos").appendPath(file.name).build()
    }
}
