package dev.compass.sample.app

import android.app.Application
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.ParameterizedRobolectricTestRunner.Parameters
import org.robolectric.annotation.Config

/** Screens look as they did. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(application = Application::class)
class PicturesTest(private val name: String, private val look: Look) {
    @Test
    fun `it looks as it did`() {
        val view = Stage.show(name, look, density = "xhdpi")
        Screenshots.compare("$name-${look.name.lowercase().replace('_', '-')}", view)
    }

    companion object {
        @JvmStatic
        @Parameters(name = "{0} {1}")
        fun pictures(): List<Array<Any>> = listOf(
            Look.LIGHT to listOf("workflows", "workflow", "workflow-add", "session", "session-every-field", "review", "record", "sessions", "outbox", "settings"),
            Look.DARK to listOf("workflows", "session", "record", "outbox", "settings"),
            Look.STRONG to listOf("session", "outbox"),
            Look.STRONG_DARK to listOf("session"),
            Look.LARGE to listOf("session", "outbox"),
            Look.ARABIC to listOf("workflows", "session", "record", "record-timeline"),
        ).flatMap { (look, names) -> names.map { arrayOf<Any>(it, look) } }
    }
}
