package dev.compass.sample.app

import android.os.Looper
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher
import java.io.File
import java.util.TreeMap
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf
import org.robolectric.util.ReflectionHelpers

/** The way back by gesture. From Android 13 on the app says beforehand whether it takes it. */
class BackTest : Technician() {
    private fun saysBeforehand() {
        // Robolectric reads manifests as Android did before that line.
        assertTrue("android:enableOnBackInvokedCallback=\"true\"" in File("src/main/AndroidManifest.xml").readText())
        ReflectionHelpers.callInstanceMethod<Unit>(app.applicationInfo, "setEnableOnBackInvokedCallback", ReflectionHelpers.ClassParameter.from(Boolean::class.java, true))
    }

    /** What the app wants to hear of the gesture: one, or none. */
    private fun takers(): List<OnBackInvokedCallback> {
        val dispatcher = ReflectionHelpers.getField<Any>(activity.onBackInvokedDispatcher, "mActualDispatcher")
        return ReflectionHelpers.getField<TreeMap<Int, List<OnBackInvokedCallback>>>(dispatcher, "mOnBackInvokedCallbacks")[OnBackInvokedDispatcher.PRIORITY_DEFAULT].orEmpty()
    }

    private fun swipes() {
        takers().single().onBackInvoked()
        shadowOf(Looper.getMainLooper()).idle()
    }

    @Test
    fun `the gesture closes a sheet, goes back in the session, out of it, and at last is Android's`() {
        saysBeforehand()
        prepared()
        opensTheApp()
        sees("Start something new")
        assertEquals("Android shows what lies behind the app", 0, takers().size)
        startsASession()
        taps("It runs")
        sees("Good bye.")
        taps("Add a note")
        sees("What should be remembered?")
        swipes()
        sees("Good bye.")
        swipes()
        sees("Find the pump.")
        swipes()
        sees("Start something new")
        assertEquals(0, takers().size)
        assertFalse(activity.isFinishing)
    }

    @Test
    fun `after a turn of the phone the gesture leads back as before`() {
        saysBeforehand()
        prepared()
        opensTheApp()
        startsASession()
        phone.recreate()
        sees("Find the pump.")
        swipes()
        sees("Start something new")
    }

    @Test
    @Suppress("DEPRECATION")
    fun `where Android calls as it did before, the way back is the same, and leads out of the app at last`() {
        prepared()
        opensTheApp()
        startsASession()
        taps("Add a note")
        sees("What should be remembered?")
        activity.onBackPressed()
        sees("Find the pump.")
        activity.onBackPressed()
        sees("Start something new")
        activity.onBackPressed()
        assertTrue(activity.isFinishing)
    }
}
