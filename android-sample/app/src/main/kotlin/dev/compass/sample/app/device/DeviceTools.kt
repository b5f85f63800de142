package dev.compass.sample.app.device

import android.app.Activity
import android.app.DatePickerDialog
import android.app.TimePickerDialog
import android.content.ActivityNotFoundException
import android.content.Intent
import android.graphics.Bitmap
import android.net.Uri
import android.os.Bundle
import android.provider.MediaStore
import android.provider.OpenableColumns
import android.text.format.DateFormat
import dev.compass.sample.app.field.FieldTools
import dev.compass.sample.field.FieldEvent
import java.io.File
import java.io.IOException
import java.math.BigDecimal
import java.math.RoundingMode
import java.time.Instant
import java.time.LocalDate
import java.time.LocalTime
import java.time.ZoneId
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * What fields get from the phone: the framework's pickers, the camera app, the chooser of files, the position. Which field asked is saved
 * with the activity, because a phone may end this process while the camera has the screen.
 *
 * @param tell gets what came of it, as an event of the field.
 * @param imported gets the bytes of a workflow file.
 */
class DeviceTools(private val activity: Activity, state: Bundle?, private val tell: (FieldEvent) -> Unit, private val imported: (ByteArray) -> Unit) :
    FieldTools {
    private val attachments = Attachments(activity.applicationContext)
    private val places = Places(activity.applicationContext)

    // Ends with its work and not with the activity: a photo that was taken while the phone was turned is a photo.
    private val work = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    private var field: String? = state?.getString(FIELD)
    private var photo: File? = state?.getString(PHOTO)?.let(attachments::named)

    fun save(state: Bundle) {
        state.putString(FIELD, field)
        state.putString(PHOTO, photo?.name)
    }

    /** Nobody waits for the position any more. */
    fun leave() = places.cancel()

    override fun pickDay(begin: LocalDate?, min: LocalDate?, max: LocalDate?, picked: (LocalDate) -> Unit) {
        val day = begin ?: LocalDate.now().let { if (max != null && it > max) max else if (min != null && it < min) min else it }
        val chosen = DatePickerDialog.OnDateSetListener { _, year, month, of -> picked(LocalDate.of(year, month + 1, of)) }
        val dialog = DatePickerDialog(activity, chosen, day.year, day.monthValue - 1, day.dayOfMonth)
        min?.let { dialog.datePicker.minDate = it.millis() }
        max?.let { dialog.datePicker.maxDate = it.millis() }
        dialog.show()
    }

    override fun pickTime(begin: LocalTime?, picked: (LocalTime) -> Unit) {
        val time = begin ?: LocalTime.now()
        val clock = DateFormat.is24HourFormat(activity)
        TimePickerDialog(activity, { _, hour, minute -> picked(LocalTime.of(hour, minute)) }, time.hour, time.minute, clock).show()
    }

    override fun locate(field: String) {
        if (!places.allowed) {
            this.field = field
            activity.requestPermissions(Places.PERMISSIONS, LOCATE)
            return
        }
        tell(FieldEvent.Locating(field))
        places.ask { place ->
            tell(
                if (place == null) {
                    FieldEvent.NotLocated(field, denied = false)
                } else {
                    FieldEvent.Located(
                        field,
                        BigDecimal(place.latitude).setScale(DEGREE_DIGITS, RoundingMode.HALF_EVEN),
                        BigDecimal(place.longitude).setScale(DEGREE_DIGITS, RoundingMode.HALF_EVEN),
                        if (place.hasAccuracy()) BigDecimal(place.accuracy.toDouble()).setScale(1, RoundingMode.UP) else null,
                        Instant.ofEpochMilli(place.time),
                    )
                },
            )
        }
    }

    /** The answer to the question for the permission. */
    fun allowed(request: Int) {
        val asked = field ?: return
        if (request != LOCATE) return
        field = null
        if (places.allowed) locate(asked) else tell(FieldEvent.NotLocated(asked, denied = true))
    }

    override fun takePhoto(field: String) {
        val file = attachments.create("jpg")
        val camera = Intent(MediaStore.ACTION_IMAGE_CAPTURE)
            .putExtra(MediaStore.EXTRA_OUTPUT, SharedFiles.photo(activity, file))
            .addFlags(Intent.FLAG_GRANT_WRITE_URI_PERMISSION or Intent.FLAG_GRANT_READ_URI_PERMISSION)
        this.field = field
        photo = file
        start(camera, TAKE)
    }

    override fun chooseFile(field: String, mediaTypes: List<String>) {
        this.field = field
        start(chooser().putExtra(Intent.EXTRA_MIME_TYPES, mediaTypes.ifEmpty { listOf("*/*") }.toTypedArray()), CHOOSE)
    }

    fun chooseWorkflow() = start(chooser(), IMPORT)

    override fun keepSignature(field: String, picture: Bitmap) {
        work.launch {
            val file = withContext(Dispatchers.IO) {
                attachments.create("png").also { file -> file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, BEST, it) } }
            }
            attach(field, file, "image/png", file.name)
        }
    }

    /** What came back from another app. */
    fun result(request: Int, result: Int, data: Intent?) {
        val asked = field
        val taken = photo
        field = null
        photo = null
        val chosen = data?.data
        when {
            result != Activity.RESULT_OK -> taken?.delete()
            request == TAKE && asked != null && taken != null -> work.launch { attach(asked, taken, "image/jpeg", taken.name) }
            request == CHOOSE && asked != null && chosen != null -> work.launch { copy(asked, chosen) }
            request == IMPORT && chosen != null -> work.launch { read(chosen)?.let(imported) }
        }
    }

    private fun chooser() = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("*/*")

    @Suppress("DEPRECATION")
    private fun start(intent: Intent, request: Int) {
        try {
            activity.startActivityForResult(intent, request)
        } catch (_: ActivityNotFoundException) {
            field?.let { tell(FieldEvent.NotAttached(it)) }
            field = null
            photo?.delete()
            photo = null
        }
    }

    private suspend fun copy(field: String, from: Uri) {
        val type = activity.contentResolver.getType(from) ?: "application/octet-stream"
        val name = name(from)
        val file = withContext(Dispatchers.IO) {
            try {
                attachments.create("bin").also { file ->
                    activity.contentResolver.openInputStream(from)?.use { source -> file.outputStream().use(source::copyTo) }
                }
            } catch (_: IOException) {
                null
            }
        }
        if (file == null) tell(FieldEvent.NotAttached(field)) else attach(field, file, type, name ?: file.name)
    }

    private suspend fun attach(field: String, file: File, type: String, name: String) {
        val print = withContext(Dispatchers.IO) {
            try {
                attachments.fingerprint(file).takeIf { file.length() > 0 }
            } catch (_: IOException) {
                null
            }
        }
        tell(if (print == null) FieldEvent.NotAttached(field) else FieldEvent.Attached(field, print, type, file.length(), name))
    }

    private suspend fun read(from: Uri): ByteArray? = withContext(Dispatchers.IO) {
        try {
            activity.contentResolver.openInputStream(from)?.use { it.readBytes() }
        } catch (_: IOException) {
            null
        }
    }

    private suspend fun name(of: Uri): String? = withContext(Dispatchers.IO) {
        activity.contentResolver.query(of, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)
            ?.use { if (it.moveToFirst()) it.getString(0) else null }
    }

    private fun LocalDate.millis() = atStartOfDay(ZoneId.systemDefault()).toInstant().toEpochMilli()

    private companion object {
        const val FIELD = "field"
        const val PHOTO = "photo"
        const val LOCATE = 1
        const val TAKE = 2
        const val CHOOSE = 3
        const val IMPORT = 4
        const val BEST = 100

        /** Some ten centimetres. */
        const val DEGREE_DIGITS = 6
    }
}
