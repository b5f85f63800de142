package dev.compass.sample.app

import android.app.Application
import android.graphics.Color
import android.view.View
import android.widget.Button
import android.widget.EditText
import android.widget.FrameLayout
import android.widget.ImageButton
import android.widget.LinearLayout
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** The audit finds what it is there to find. */
@RunWith(RobolectricTestRunner::class)
@Config(application = Application::class, qualifiers = "w411dp-h891dp-mdpi")
class ViewAuditTest {
    private fun faults(contrast: Double = 4.5, make: (LinearLayout) -> View): List<String> {
        val activity = Robolectric.buildActivity(Stage::class.java).setup().get()
        val column = LinearLayout(activity)
        column.setBackgroundColor(Color.WHITE)
        column.addView(make(column))
        activity.setContentView(FrameLayout(activity).apply { addView(column) })
        org.robolectric.shadows.ShadowLooper.idleMainLooper()
        return ViewAudit(column, contrast).faults()
    }

    private fun finds(what: String, contrast: Double = 4.5, make: (LinearLayout) -> View) {
        val faults = faults(contrast, make)
        assertTrue("$what in $faults", faults.any { what in it })
    }

    private fun words(view: View, size: Float = 18f, ink: Int = Color.BLACK) = TextView(view.context).apply {
        text = "Readings are fine"
        textSize = size
        setTextColor(ink)
    }

    @Test
    fun `a good line passes`() = assertEquals(emptyList<String>(), faults { words(it) })

    @Test
    fun `a small target is found`() = finds("is a target of") { Button(it.context).apply { text = "Go"; textSize = 18f; minWidth = 0; minHeight = 0; minimumHeight = 40; minimumWidth = 40 } }

    @Test
    fun `small text is found`() = finds("is text of") { words(it, size = 16f) }

    @Test
    fun `a missing label is found`() = finds("is a target without a label") { ImageButton(it.context).apply { minimumWidth = 60; minimumHeight = 60 } }

    @Test
    fun `an input without a label is found`() = finds("is an input without a label") { EditText(it.context).apply { textSize = 18f; minHeight = 60; minWidth = 200 } }

    @Test
    fun `faint text is found`() = finds("has a contrast of") { words(it, ink = Color.LTGRAY) }

    @Test
    fun `what is enough in light is not enough in high contrast`() {
        val grey = Color.rgb(0x70, 0x70, 0x70)
        assertEquals(emptyList<String>(), faults { words(it, ink = grey) })
        finds("has a contrast of", contrast = 7.0) { words(it, ink = grey) }
    }

    @Test
    fun `text that is cut off is found`() = finds("shows only a part of its words") {
        words(it).apply { layoutParams = LinearLayout.LayoutParams(120, 24) }
    }

    @Test
    fun `what sticks out is found`() = finds("is cut off by what it is in") {
        FrameLayout(it.context).apply {
            layoutParams = LinearLayout.LayoutParams(100, 100)
            addView(words(it), FrameLayout.LayoutParams(300, 40))
        }
    }
}
