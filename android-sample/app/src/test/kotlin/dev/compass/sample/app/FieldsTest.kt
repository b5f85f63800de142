package dev.compass.sample.app

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.location.Location
import android.location.LocationManager
import android.net.Uri
import android.provider.MediaStore
import android.view.KeyEvent
import android.widget.CompoundButton
import java.io.FileNotFoundException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
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
    fun `a photo is written by the camera app into the one file it was given, and only its fingerprint is kept`() {
        opensEveryField()
        taps("Take a photo")
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(MediaStore.ACTION_IMAGE_CAPTURE, asked.intent.action)
        @Suppress("DEPRECATION")
        val address = asked.intent.getParcelableExtra<Uri>(MediaStore.EXTRA_OUTPUT)!!
        // Meanwhile the phone is turned.
        phone.recreate()
        app.contentResolver.openOutputStream(address)!!.use { it.write("a picture".toByteArray()) }
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent())
        isProvided("photo")
        sees("The file stays on this phone; only its fingerprint is sent")
        assertTrue(held("photo").state.toString().contains("image/jpeg"))
    }

    @Test
    fun `a camera that was left takes its empty file with it`() {
        opensEveryField()
        taps("Take a photo")
        val asked = shadowOf(activity).nextStartedActivityForResult
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_CANCELED, null)
        assertEquals(0, app.noBackupFilesDir.resolve("attachments").list().orEmpty().size)
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
        types("Or type the name", "Jo Miller")
        taps("Keep signature")
        isProvided("signature")
        sees("Sign again")
    }

    @Test
    fun `the position is asked for when it is wanted, with the permission first`() {
        opensEveryField()
        taps("Use this place")
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
        taps("Use this place")
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
        taps("Gas")
        isProvided("fuel")
        until("the mark") { all().filterIsInstance<CompoundButton>().first { it.text == "Gas" }.isChecked }
        taps("Last service: Choose a date")
        val dialog = ShadowDialog.getLatestDialog() as android.app.DatePickerDialog
        dialog.updateDate(2026, 0, 15)
        dialog.getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
        isProvided("day")
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
    { "key": "day", "name": "Last service", "type": "date" }
  ],
  "sections": [
    { "key": "look", "name": "Look", "content": "Look around.", "fields": ["photo", "signature", "place", "serial", "tight", "fuel", "day"], "win": true }
  ]
}"""
    }
}
