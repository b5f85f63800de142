package dev.compass.sample.app

import android.app.Application
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.view.View.MeasureSpec
import android.widget.Button
import dev.compass.sample.app.kit.Kit
import kotlin.math.abs
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.ParameterizedRobolectricTestRunner.Parameters
import org.robolectric.annotation.Config

/** A button that takes no tap now looks otherwise than one that does, also to an eye that sees no colours. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(application = Application::class)
class ButtonsTest(private val look: Look) {
    private fun drawn(button: Button, enabled: Boolean): Bitmap {
        button.isEnabled = enabled
        button.jumpDrawablesToCurrentState()
        button.measure(MeasureSpec.makeMeasureSpec(300, MeasureSpec.EXACTLY), MeasureSpec.makeMeasureSpec(64, MeasureSpec.EXACTLY))
        button.layout(0, 0, 300, 64)
        return Bitmap.createBitmap(300, 64, Bitmap.Config.ARGB_8888).also { button.draw(Canvas(it)) }
    }

    private fun differing(one: Bitmap, other: Bitmap): Int = (0 until 64).sumOf { y ->
        (0 until 300).count { x -> abs(bright(one.getPixel(x, y)) - bright(other.getPixel(x, y))) > 0.2 }
    }

    private fun bright(pixel: Int) = Color.luminance(pixel) * Color.alpha(pixel) / 255

    @Test
    fun `what takes no tap shows it`() {
        val kit = Kit(Stage.show("outbox-empty", look).context)
        val buttons = mapOf("primary" to kit.primary("Complete") {}, "secondary" to kit.secondary("Arrive") {}, "danger" to kit.danger("Give it up") {})
        for ((name, button) in buttons) {
            val pixels = differing(drawn(button, enabled = true), drawn(button, enabled = false))
            assertTrue("$name: $pixels pixels", pixels > VISIBLE)
        }
    }

    companion object {
        /** A tenth of the outline. */
        private const val VISIBLE = 70

        @JvmStatic
        @Parameters(name = "{0}")
        fun looks(): List<Array<Any>> = listOf(Look.LIGHT, Look.DARK, Look.STRONG, Look.STRONG_DARK).map { arrayOf(it) }
    }
}
