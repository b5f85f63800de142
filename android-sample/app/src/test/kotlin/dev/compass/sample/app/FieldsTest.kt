package dev.compass.sample.app

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.app.DatePickerDialog
import android.app.TimePickerDialog
import android.content.Intent
import android.location.Location
import android.location.LocationManager
import android.net.Uri
import android.provider.MediaStore
import android.view.KeyEvent
import android.widget.CompoundButton
import java.io.FileNotFoundException
import java.security.MessageDigest
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowDialog

/** What fields get from the phone, through the real core. */
class FieldsTest : Technician() {
    private fun opensEveryField() {
        prepared(document = EVERY_FIELD)
        opensTheApp()
        taps("Start: Survey")
        sees("Look around.")
    }

    private fun held(field: String) = wait { app.compass().session(app.compass().sessions().sessions.single().key).fields.first { it.definition.key == field } }

    private fun isProvided(field: String) = until("a value of $field") { held(field).completedAt != null }

    @Test
    fun `a photo is written by the camera app into the one file it was given, and only its hash is kept`() {
        opensEveryField()
        taps("Photo: Take a photo")
        val asked = otherApp()
        assertEquals(MediaStore.ACTION_IMAGE_CAPTURE, asked.intent.action)
        @Suppress("DEPRECATION")
        val address = asked.intent.getParcelableExtra<Uri>(MediaStore.EXTRA_OUTPUT)!!
        // Meanwhile the phone is turned.
        phone.recreate()
        app.contentResolver.openOutputStream(address)!!.use { it.write("a picture".toByteArray()) }
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent())
        isProvided("photo")
        sees("The file stays on this phone; only its name, size and checksum are sent")
        assertTrue(held("photo").state.toString().contains("image/jpeg"))
    }

    @Test
    fun `a camera that was left takes its empty file with it`() {
        opensEveryField()
        taps("Photo: Take a photo")
        val asked = otherApp()
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_CANCELED, null)
        until("the empty file to go") { app.noBackupFilesDir.resolve("attachments").list().orEmpty().isEmpty() }
    }

    @Test
    fun `the provider gives nothing but what is asked for by its name`() {
        Robolectric.setupContentProvider(dev.compass.sample.app.device.SharedFiles::class.java, "dev.compass.sample.app.files")
        for (path in listOf("photos/..%2Fcompass%2Fcompass.db", "photos/none.jpg", "compass/compass.db", "exports/../compass/compass.db")) {
            assertThrows(path, FileNotFoundException::class.java) {
                app.contentResolver.openInputStream(Uri.parse("content://dev.compass.sample.app.files/$path"))
            }
        }
    }

    @Test
    fun `who cannot draw signs by typing the name`() {
        opensEveryField()
        types("Signature: Or type the name", "Jo Miller")
        taps("Signature: Keep signature")
        isProvided("signature")
        sees("Sign again")
    }

    @Test
    fun `the position is asked for when it is wanted, with the permission first`() {
        opensEveryField()
        taps("Where: Use this position")
        assertEquals(listOf(Manifest.permission.ACCESS_FINE_LOCATION, Manifest.permission.ACCESS_COARSE_LOCATION), shadowOf(activity).lastRequestedPermission.requestedPermissions.toList())
        shadowOf(app).grantPermissions(Manifest.permission.ACCESS_FINE_LOCATION)
        val manager = app.getSystemService(LocationManager::class.java)!!
        shadowOf(manager).setProviderEnabled(LocationManager.GPS_PROVIDER, true)
        activity.onRequestPermissionsResult(shadowOf(activity).lastRequestedPermission.requestCode, emptyArray(), IntArray(0))
        sees("Looking for your position")
        shadowOf(manager).simulateLocation(Location(LocationManager.GPS_PROVIDER).apply { latitude = 53.479; longitude = -2.245; accuracy = 8f; time = 1_800_000_000_000 })
        isProvided("place")
    }

    @Test
    fun `without the permission the field says so`() {
        opensEveryField()
        taps("Where: Use this position")
        activity.onRequestPermissionsResult(shadowOf(activity).lastRequestedPermission.requestCode, emptyArray(), IntArray(0))
        sees("This app may not know your position")
    }

    @Test
    fun `a keyboard scanner ends the line by itself`() {
        opensEveryField()
        types("Serial number", "4006381333931")
        line("Serial number")!!.onEditorAction(0)
        line("Serial number")!!.dispatchKeyEvent(KeyEvent(KeyEvent.ACTION_DOWN, KeyEvent.KEYCODE_ENTER))
        isProvided("serial")
    }

    @Test
    fun `yes, an option and a date are chosen by a tap`() {
        opensEveryField()
        taps("Is it tight?: Yes")
        isProvided("tight")
        taps("Fuel: Gas")
        isProvided("fuel")
        until("the mark") { all().filterIsInstance<CompoundButton>().first { it.text == "Gas" }.isChecked }
        taps("Last service: Choose a date")
        val dialog = ShadowDialog.getLatestDialog() as DatePickerDialog
        dialog.updateDate(2026, 0, 15)
        dialog.getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        isProvided("day")
    }

    @Test
    fun `a time is chosen on a clock, and of a date with a time first the date`() {
        opensEveryField()
        taps("Arrival: Choose a time")
        setsTheClock(8, 31)
        sees("08:31")
        taps("Appointment: Choose a date and a time")
        val calendar = ShadowDialog.getLatestDialog() as DatePickerDialog
        calendar.updateDate(2027, 0, 16)
        calendar.getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        setsTheClock(9, 5)
        isProvided("when")
        sees("16 Jan 2027, 09:05")
        assertTrue(held("arrival").state.toString().contains("08:31"))
    }

    private fun setsTheClock(hour: Int, minute: Int) {
        var clock: TimePickerDialog? = null
        until("a clock") { (ShadowDialog.getLatestDialog() as? TimePickerDialog)?.takeIf { it.isShowing }.also { clock = it } != null }
        clock!!.updateTime(hour, minute)
        clock!!.getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        shadowOf(android.os.Looper.getMainLooper()).idle()
    }

    @Test
    fun `a picker goes with the screen that opened it`() {
        opensEveryField()
        taps("Arrival: Choose a time")
        val clock = ShadowDialog.getLatestDialog()
        assertTrue(clock.isShowing)
        phone.recreate()
        assertFalse(clock.isShowing)
    }

    @Test
    fun `a file that is chosen stays on the phone, and its hash is kept`() {
        opensEveryField()
        taps("Photo: Choose a file")
        val asked = otherApp()
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, asked.intent.action)
        val document = Uri.parse("content://downloads/plate.jpg")
        shadowOf(app.contentResolver).registerInputStreamSupplier(document) { "a picture".byteInputStream() }
        chooses(asked, document)
        isProvided("photo")
        sees("The file stays on this phone; only its name, size and checksum are sent")
        // SHA-256 of "a picture".
        assertTrue("%s".format(held("photo").state), held("photo").state.toString().contains(MessageDigest.getInstance("SHA-256").digest("a picture".toByteArray()).joinToString("") { "%02x".format(it) }))
        assertEquals(listOf("a picture"), kept())
    }

    @Test
    fun `a file that breaks off leaves nothing behind, and the field says so`() {
        opensEveryField()
        taps("Photo: Choose a file")
        val document = Uri.parse("content://downloads/plate.jpg")
        shadowOf(app.contentResolver).registerInputStreamSupplier(document) { throw SecurityException("taken back") }
        chooses(otherApp(), document)
        sees("The file could not be read")
        assertEquals(emptyList<String>(), kept())
        assertNull(held("photo").completedAt)
    }

    private fun kept(): List<String> = app.noBackupFilesDir.resolve("attachments").listFiles().orEmpty().map { it.readText() }

    @Test
    fun `the position arrives although the phone was turned while it was looked for`() {
        opensEveryField()
        shadowOf(app).grantPermissions(Manifest.permission.ACCESS_FINE_LOCATION)
        val manager = app.getSystemService(LocationManager::class.java)!!
        shadowOf(manager).setProviderEnabled(LocationManager.GPS_PROVIDER, true)
        taps("Where: Use this position")
        sees("Looking for your position")
        phone.recreate()
        shadowOf(manager).simulateLocation(Location(LocationManager.GPS_PROVIDER).apply { latitude = 53.479; longitude = -2.245; time = 1_800_000_000_000 })
        isProvided("place")
        sees("Take the position again")
    }

    @Test
    @Config(qualifiers = "ar-rEG-ldrtl")
    fun `a number is typed in the digits and with the point of the language`() {
        prepared(document = EVERY_FIELD)
        opensTheApp()
        taps("ابدأ: Survey")
        sees("Look around.")
        until("the line") { line("Pressure") != null }
        line("Pressure")!!.requestFocus()
        line("Pressure")!!.text.append("٢٫٥٠")
        assertEquals("٢٫٥٠", line("Pressure")!!.text.toString())
        line("Pressure")!!.onEditorAction(android.view.inputmethod.EditorInfo.IME_ACTION_DONE)
        isProvided("bar")
        assertTrue(held("bar").state.toString().contains("2.50"))
        until("the number in its digits") { line("Pressure")!!.text.toString() == "٢٫٥٠" }
    }

    private companion object {
        const val EVERY_FIELD = """{
  "format": 1, "key": "survey", "version": 1, "name": "Survey", "start": "look",
  "fields": [
    { "key": "photo", "name": "Photo", "type": "attachment" },
    { "key": "signature", "name": "Signature", "type": "signature" },
    { "key": "place", "name": "Where", "type": "location" },
    { "key": "serial", "name": "Serial number", "type": "barcode" },
    { "key": "tight", "name": "Is it tight?", "type": "boolean" },
    { "key": "fuel", "name": "Fuel", "type": "single_choice", "options": [ { "key": "gas", "name": "Gas" }, { "key": "oil", "name": "Oil" } ] },
    { "key": "day", "name": "Last service", "type": "date" },
    { "key": "arrival", "name": "Arrival", "type": "time" },
    { "key": "when", "name": "Appointment", "type": "datetime" },
    { "key": "bar", "name": "Pressure", "type": "decimal" }
  ],
  "sections": [
    { "key": "look", "name": "Look", "content": "Look around.", "fields": ["photo", "signature", "place", "serial", "tight", "fuel", "day", "arrival", "when", "bar"], "win": true }
  ]
}"""
    }
}
