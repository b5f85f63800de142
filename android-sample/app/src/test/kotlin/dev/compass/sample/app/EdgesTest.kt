package dev.compass.sample.app

import android.graphics.Insets
import android.view.ViewGroup
import android.view.WindowInsets
import dev.compass.sample.app.kit.Page
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

/** From Android 15 on an app draws behind the system's bars: nothing to press or to read may lie there. */
class EdgesTest : Technician() {
    private fun covers(bars: Insets, keyboard: Int = 0, cutOut: Insets = Insets.NONE) {
        val insets = WindowInsets.Builder()
            .setInsets(WindowInsets.Type.statusBars(), Insets.of(0, bars.top, 0, 0))
            .setInsets(WindowInsets.Type.navigationBars(), Insets.of(bars.left, 0, bars.right, bars.bottom))
            .setInsets(WindowInsets.Type.displayCutout(), cutOut)
            .setInsets(WindowInsets.Type.ime(), Insets.of(0, 0, 0, keyboard))
            .build()
        val content = activity.findViewById<ViewGroup>(android.R.id.content)!!
        content.getChildAt(0).dispatchApplyWindowInsets(insets)
        val decor = activity.window.decorView
        decor.measure(exactly(decor.width), exactly(decor.height))
        decor.layout(0, 0, decor.width, decor.height)
    }

    private fun exactly(size: Int) = android.view.View.MeasureSpec.makeMeasureSpec(size, android.view.View.MeasureSpec.EXACTLY)

    private fun page(): Page = all().filterIsInstance<Page>().single()

    private fun edges(): List<Int> {
        val at = IntArray(2).also { page().getLocationInWindow(it) }
        val decor = activity.window.decorView
        return listOf(at[0], at[1], decor.width - at[0] - page().width, decor.height - at[1] - page().height)
    }

    @Test
    fun `the screen keeps out of the bars, the cut-out and the keyboard`() {
        prepared()
        opensTheApp()
        sees("Pump check")
        covers(Insets.of(0, 48, 0, 63))
        assertEquals(listOf(0, 48, 0, 63), edges())
        covers(Insets.of(0, 48, 0, 63), keyboard = 400)
        assertEquals(listOf(0, 48, 0, 400), edges())
        covers(Insets.of(0, 24, 96, 0), cutOut = Insets.of(80, 0, 0, 0))
        assertEquals(listOf(80, 24, 96, 0), edges())
    }

    @Test
    fun `behind the bars is the colour of the page`() {
        opensTheApp()
        val root = activity.findViewById<ViewGroup>(android.R.id.content)!!.getChildAt(0)
        assertEquals(activity.getColor(R.color.page), (root.background as android.graphics.drawable.ColorDrawable).color)
        assertEquals(0, activity.window.statusBarColorOrZero())
    }

    @Test
    fun `with a keyboard on the screen the line that is typed in has room`() {
        prepared()
        opensTheApp()
        taps("Start: Pump check")
        sees("Find the pump.")
        covers(Insets.of(0, 48, 0, 63), keyboard = 520)
        assertTrue(page().scroll.height >= 3 * 56)
    }

    @Suppress("DEPRECATION")
    private fun android.view.Window.statusBarColorOrZero() = statusBarColor
}
