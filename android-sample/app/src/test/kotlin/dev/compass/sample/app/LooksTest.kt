package dev.compass.sample.app

import android.app.Application
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.ParameterizedRobolectricTestRunner.Parameters
import org.robolectric.annotation.Config

/** Every screen, in every look: targets of 56 dp, text of 18 sp, labels, contrast, and all of the words. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(application = Application::class)
class LooksTest(private val look: Look) {
    @Test
    fun `every screen passes the audit`() {
        val faults = Examples(look.arabic).all.flatMap { example ->
            val view = Stage.show(example.name, look)
            ViewAudit(view, look.contrast).faults().map { "${example.name}: $it" }
        }
        assertEquals("", faults.joinToString("\n"))
    }

    companion object {
        @JvmStatic
        @Parameters(name = "{0}")
        fun looks(): List<Array<Any>> = Look.entries.map { arrayOf(it) }
    }
}
