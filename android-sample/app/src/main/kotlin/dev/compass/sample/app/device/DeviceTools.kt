package dev.compass.sample.app.device

import android.app.Activity
import android.app.DatePickerDialog
import android.app.Dialog
import android.app.TimePickerDialog
import android.content.ActivityNotFoundException
import android.content.Intent
import android.graphics.Bitmap
import android.location.Location
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.provider.MediaStore
import android.provider.OpenableColumns
import android.text.format.DateFormat
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FileManifest
import dev.compass.core.model.Location as Place
import dev.compass.sample.app.field.FieldTools
import dev.compass.sample.field.FieldEvent
import java.io.File
import java.io.IOException
import java.io.InputStream
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
 * @param imported gets the bytes of a workflow file; none when it could not be read.
 * @param backup gets the path of a copy of a backup, which is the app's own; none when it could not be read.
 */
class DeviceTools(
    private val activity: Activity,
    private val places: Places,
    state: Bundle?,
    private val tell: (FieldEvent) -> Unit,
    private val imported: (ByteArray?) -> Unit,
    private val backup: (String?) -> Unit,
) : FieldTools {
    private val attachments = Attachments(activity.applicationContext)

    // Ends with its work and not with the activity: a photo that was taken while the phone was turned is a photo.
    private val work = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    private var field: String? = state?.getString(FIELD)
    private var photo: String? = state?.getString(PHOTO)

    /** Another app or a question of Android's is about to have the screen: a second tap was meant for the same. */
    private var asking = false
    private var dialog: Dialog? = null

    fun save(state: Bundle) {
        state.putString(FIELD, field)
        state.putString(PHOTO, photo)
    }

    /** The screen is the app's own again. */
    fun resumed() {
        asking = false
    }

    /** The screen that asked is gone, or its activity: a picker would have nothing below it. */
    fun leave() {
        dialog?.dismiss()
        dialog = null
    }

    override fun pickDay(begin: LocalDate?, min: LocalDate?, max: LocalDate?, picked: (LocalDate) -> Unit) {
        val day = begin ?: LocalDate.now().let { if (max != null && it > max) max else if (min != null && it < min) min else it }
        val chosen = DatePickerDialog.OnDateSetListener { _, year, month, of -> picked(LocalDate.of(year, month + 1, of)) }
        val dialog = DatePickerDialog(activity, chosen, day.year, day.monthValue - 1, day.dayOfMonth)
        min?.let { dialog.datePicker.minDate = it.millis() }
        max?.let { dialog.datePicker.maxDate = it.millis() }
        open(dialog)
    }

    override fun pickTime(begin: LocalTime?, picked: (LocalTime) -> Unit) {
        val time = begin ?: LocalTime.now()
        val clock = DateFormat.is24HourFormat(activity)
        open(TimePickerDialog(activity, { _, hour, minute -> picked(LocalTime.of(hour, minute)) }, time.hour, time.minute, clock))
    }

    private fun open(picker: Dialog) {
        leave()
        dialog = picker
        picker.show()
    }

    override fun locate(field: String) {
        if (asking) return
        if (!places.allowed) {
            asking = true
            this.field = field
            activity.requestPermissions(Places.PERMISSIONS, LOCATE)
            return
        }
        tell(FieldEvent.Locating(field))
        // Without this activity, which may be gone by then.
        val tell = tell
        places.ask { place -> tell(place?.let { FieldEvent.Given(field, it.value()) } ?: FieldEvent.NotLocated(field, denied = false)) }
    }

    /** The answer to the question for the permission. */
    fun allowed(request: Int) {
        val asked = field ?: return
        if (request != LOCATE) return
        field = null
        asking = false
        if (places.allowed) locate(asked) else tell(FieldEvent.NotLocated(asked, denied = true))
    }

    override fun takePhoto(field: String) {
        if (asking) return
        asking = true
        work.launch {
            val file = onDisk { attachments.create("jpg") }
            asking = false
            if (file == null || activity.isDestroyed) return@launch tell(FieldEvent.NotAttached(field))
            val camera = Intent(MediaStore.ACTION_IMAGE_CAPTURE)
                .putExtra(MediaStore.EXTRA_OUTPUT, SharedFiles.photo(activity, file))
                .addFlags(Intent.FLAG_GRANT_WRITE_URI_PERMISSION or Intent.FLAG_GRANT_READ_URI_PERMISSION)
            start(camera, TAKE, field, file.name)
        }
    }

    override fun chooseFile(field: String, mediaTypes: List<String>) {
        start(chooser().putExtra(Intent.EXTRA_MIME_TYPES, mediaTypes.ifEmpty { listOf("*/*") }.toTypedArray()), CHOOSE, field)
    }

    fun chooseWorkflow() = start(chooser(), IMPORT)

    fun chooseBackup() = start(chooser(), PUT_BACK)

    override fun keepSignature(field: String, picture: Bitmap) {
        work.launch {
            val file = onDisk {
                attachments.create("png").filled { file -> file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, BEST, it) } }
            }
            if (file == null) tell(FieldEvent.NotAttached(field)) else attach(field, file, "image/png", file.name)
        }
    }

    /** What came back from another app. */
    fun result(request: Int, result: Int, data: Intent?) {
        val asked = field
        val taken = photo
        field = null
        photo = null
        asking = false
        val chosen = data?.data
        when {
            result != Activity.RESULT_OK -> taken?.let(::forget)
            request == TAKE && asked != null && taken != null -> work.launch { attach(asked, attachments.named(taken), "image/jpeg", taken) }
            request == CHOOSE && asked != null && chosen != null -> work.launch { copy(asked, chosen) }
            request == IMPORT && chosen != null -> work.launch { imported(read(chosen)) }
            request == PUT_BACK && chosen != null -> work.launch { backup(copy(chosen)) }
        }
    }

    private fun chooser() = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("*/*")

    @Suppress("DEPRECATION")
    private fun start(intent: Intent, request: Int, field: String? = null, photo: String? = null) {
        if (asking) return
        try {
            activity.startActivityForResult(intent, request)
            asking = true
            this.field = field
            this.photo = photo
        } catch (_: ActivityNotFoundException) {
            photo?.let(::forget)
            when (request) {
                IMPORT -> imported(null)
                PUT_BACK -> backup(null)
                else -> field?.let { tell(FieldEvent.NotAttached(it)) }
            }
        }
    }

    private fun forget(photo: String) = work.launch { onDisk { attachments.named(photo).delete() } }

    private suspend fun copy(field: String, from: Uri) {
        val file = onDisk { attachments.create("bin").filled { it.take(from) } }
        if (file == null) return tell(FieldEvent.NotAttached(field))
        val type = onDisk { activity.contentResolver.getType(from) } ?: "application/octet-stream"
        attach(field, file, type, onDisk { name(from) } ?: file.name)
    }

    private suspend fun copy(backup: Uri): String? = onDisk {
        File(Exports.folder(activity).apply { mkdirs() }, CHOSEN_BACKUP).filled { it.take(backup) }.path
    }

    private fun File.take(from: Uri) {
        (open(from) ?: throw IOException("no such document")).use { source -> outputStream().use(source::copyTo) }
    }

    private suspend fun attach(field: String, file: File, type: String, name: String) {
        val hash = onDisk { attachments.sha256(file).takeIf { file.length() > 0 } }
        val taken = hash?.let { FieldValue.File(FileManifest(it, type, file.length(), name)) }
        tell(if (taken == null) FieldEvent.NotAttached(field) else FieldEvent.Given(field, taken))
    }

    private suspend fun read(from: Uri): ByteArray? = onDisk {
        open(from)?.use { source ->
            val bytes = ByteArray(LARGEST_WORKFLOW + 1)
            var size = 0
            while (size < bytes.size) size += source.read(bytes, size, bytes.size - size).takeIf { it > 0 } ?: break
            bytes.copyOf(size)
        }
    }

    private fun open(document: Uri): InputStream? = activity.contentResolver.openInputStream(document)

    private fun name(of: Uri): String? = activity.contentResolver.query(of, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)
        ?.use { if (it.moveToFirst()) it.getString(0) else null }

    /** Away from the main thread; none when the disk is full, or the app that gave the document is gone or takes it back. */
    private suspend fun <T> onDisk(work: () -> T): T? = withContext(Dispatchers.IO) {
        try {
            work()
        } catch (_: IOException) {
            null
        } catch (_: SecurityException) {
            null
        }
    }

    /** Of a file that could be filled by half nothing stays. */
    private fun File.filled(fill: (File) -> Unit): File {
        try {
            fill(this)
        } catch (failure: Exception) {
            delete()
            throw failure
        }
        return this
    }

    private fun Location.value() = FieldValue.Location(
        Place(
            BigDecimal(latitude).setScale(DEGREE_DIGITS, RoundingMode.HALF_EVEN),
            BigDecimal(longitude).setScale(DEGREE_DIGITS, RoundingMode.HALF_EVEN),
            if (hasAccuracy()) BigDecimal(accuracy.toDouble()).setScale(1, RoundingMode.UP) else null,
            Instant.ofEpochMilli(time),
            mocked = isMadeUp(),
        ),
    )

    @Suppress("DEPRECATION")
    private fun Location.isMadeUp() = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) isMock else isFromMockProvider

    private fun LocalDate.millis() = atStartOfDay(ZoneId.systemDefault()).toInstant().toEpochMilli()

    private companion object {
        const val FIELD = "field"
        const val PHOTO = "photo"
        const val LOCATE = 1
        const val TAKE = 2
        const val CHOOSE = 3
        const val IMPORT = 4
        const val PUT_BACK = 5
        const val CHOSEN_BACKUP = "chosen-backup.db"
        const val BEST = 100

        /** The core refuses a larger one; of a film that was chosen by mistake no more is read. */
        const val LARGEST_WORKFLOW = 1024 * 1024

        /** Some ten centimetres. */
        const val DEGREE_DIGITS = 6
    }
}
