package dev.compass.sample.app.field

import android.graphics.Bitmap
import java.time.LocalDate
import java.time.LocalTime

/** What a field needs of the phone. What comes of it arrives as an event of the field, also when the process had to die meanwhile. */
interface FieldTools {
    /** A calendar; [picked] gets the date that was chosen. */
    fun pickDay(begin: LocalDate?, min: LocalDate?, max: LocalDate?, picked: (LocalDate) -> Unit)

    /** A clock. */
    fun pickTime(begin: LocalTime?, picked: (LocalTime) -> Unit)

    /** Asks for the position, and for the permission if need be. */
    fun locate(field: String)

    /** Opens the camera app. */
    fun takePhoto(field: String)

    /** Opens the phone's chooser of files. */
    fun chooseFile(field: String, mediaTypes: List<String>)

    /** Keeps a signature. */
    fun keepSignature(field: String, picture: Bitmap)
}
