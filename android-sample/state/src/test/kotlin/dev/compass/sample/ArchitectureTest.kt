package dev.compass.sample

import java.nio.file.Files
import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Of both modules: the app's own tests need Android's tools, this one does not. */
class ArchitectureTest {
    private val state = sources("src/main/kotlin")
    private val app = sources("../app/src/main/kotlin")

    private fun sources(folder: String): Map<String, List<String>> = Files.walk(Path.of(folder)).use { paths ->
        paths.filter { it.toString().endsWith(".kt") }.toList().associate { it.toString() to Files.readAllLines(it) }
    }

    private fun Map<String, List<String>>.mention(name: String): Set<String> {
        val whole = Regex("\\b${Regex.escape(name)}\\b")
        return filterValues { lines -> lines.any { !it.trimStart().startsWith("*") && whole.containsMatchIn(it) } }.keys
    }

    @Test
    fun `views show the core's types and ask nothing of it, nor do fields and words`() {
        val asking = app.mention("dev.compass.core.Compass") + app.mention("dev.compass.core.android.CompassAndroid")
        assertEquals(emptySet<String>(), asking.filterNot { "/gateway/" in it }.toSet())
        val having = state.mention("dev.compass.core.Compass")
        assertTrue(asking.isNotEmpty() && having.isNotEmpty(), "the search finds what is there")
        assertEquals(emptySet<String>(), having.filterNot { "/core/" in it || "/screen/" in it }.toSet())
    }

    @Test
    fun `nothing of the state knows Android`() {
        assertEquals(emptySet<String>(), state.mention("android.") + state.mention("androidx."))
    }

    @Test
    fun `nothing of the app knows AndroidX`() {
        assertTrue(app.mention("android.").isNotEmpty(), "the search finds what is there")
        assertEquals(emptySet<String>(), app.mention("androidx."))
    }

    @Test
    fun `what asks the core, the fields and the words know no screen`() {
        val screens = state.mention("dev.compass.sample.screen")
        assertEquals(emptySet<String>(), screens.filter { "/screen/" !in it && !it.endsWith("SampleApp.kt") }.toSet())
    }
}
