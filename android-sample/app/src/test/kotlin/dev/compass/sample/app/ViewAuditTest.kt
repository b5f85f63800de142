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
import dev.compass.sample.app.kit.Kit
import dev.compass.sample.app.kit.Page
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.below
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
    fun `an input that is read out without its text is found`() =
        finds("is an input that is read out without its text") { EditText(it.context).apply { textSize = 18f; minHeight = 60; minWidth = 200; hint = "Site"; contentDescription = "Site" } }

    private fun page(column: LinearLayout, change: Page.(Kit) -> Unit): Page {
        val kit = Kit(column.context)
        return Page(kit).apply {
            layoutParams = LinearLayout.LayoutParams(LinearLayout.LayoutParams.MATCH_PARENT, LinearLayout.LayoutParams.MATCH_PARENT)
            head("Readings", goBack = null)
            strip.bind(R.drawable.ic_no_signal, "No signal", Tone.WAITING)
            change(kit)
        }
    }

    @Test
    fun `a good page passes`() = assertEquals(emptyList<String>(), faults { page(it) { kit -> foot.below(kit.primary("Go on") {}) } })

    @Test
    fun `a primary action that is too small is found`() = finds("is a primary action of 60 dp") {
        page(it) { kit -> foot.addView(kit.primary("Go on") {}, LinearLayout.LayoutParams(LinearLayout.LayoutParams.MATCH_PARENT, 60)) }
    }

    @Test
    fun `a primary action outside the foot is found`() = finds("is a primary action outside the foot") {
        page(it) { kit -> content.below(kit.primary("Go on") {}) }
    }

    @Test
    fun `a primary action above the bottom third is found`() = finds("is a primary action above the bottom third") {
        page(it) { kit ->
            foot.below(kit.primary("Go on") {})
            addView(View(context), LinearLayout.LayoutParams(LinearLayout.LayoutParams.MATCH_PARENT, 400))
        }
    }

    @Test
    fun `a second primary action is found`() = finds("has more than one primary action") {
        page(it) { kit -> for (name in listOf("Go on", "Start")) foot.below(kit.primary(name) {}) }
    }

    @Test
    fun `answers are primary actions side by side`() = assertEquals(
        emptyList<String>(),
        faults { page(it) { kit -> foot.below(kit.column(10)).run { for (name in listOf("It runs", "It leaks")) below(kit.primary(name) {}) } } },
    )

    @Test
    fun `a page without a heading is found`() = finds("has no heading") { page(it) { texts(this).forEach { line -> line.isAccessibilityHeading = false } } }

    private fun texts(view: View): List<TextView> = when (view) {
        is TextView -> listOf(view)
        is android.view.ViewGroup -> (0 until view.childCount).flatMap { texts(view.getChildAt(it)) }
        else -> emptyList()
    }

    @Test
    fun `a page without a title of its pane is found`() = finds("has no title of its pane") { page(it) { accessibilityPaneTitle = null } }

    @Test
    fun `a page whose strip says nothing is found`() = finds("has no status strip") { page(it) { strip.bind(R.drawable.ic_no_signal, "", Tone.WAITING) } }

    @Test
    fun `a strip that is not read out is found`() =
        finds("has a status strip that is not read out") { page(it) { texts(strip).forEach { line -> line.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_NONE } } }

    @Test
    fun `two targets of one name are found`() = finds("is one of 2 targets called \"Change\"") {
        page(it) { kit -> repeat(2) { content.below(kit.secondary("Change") {}) } }
    }

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
