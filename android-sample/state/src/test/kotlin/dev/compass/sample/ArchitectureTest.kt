package dev.compass.sample

import java.nio.file.Files
import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class ArchitectureTest {
    private val sources: Map<String, List<String>> = Files.walk(Path.of("src/main/kotlin")).use { paths ->
        paths.filter { it.toString().endsWith(".kt") }.toList().associate { it.toString() to Files.readAllLines(it) }
    }

    private fun mentions(name: String): Set<String> {
        val whole = Regex("\\b${Regex.escape(name)}")
        return sources.filterValues { lines -> lines.any { !it.trimStart().startsWith("*") && whole.containsMatchIn(it) } }.keys
    }

    @Test
    fun `only the gateway knows the core`() {
        val knowing = mentions("dev.compass.core.")
        assertTrue(knowing.isNotEmpty(), "the search finds what is there")
        assertEquals(emptySet<String>(), knowing.filterNot { "/gateway/" in it }.toSet())
    }

    @Test
    fun `nothing here knows Android`() {
        assertEquals(emptySet<String>(), mentions("android.") + mentions("androidx."))
    }

    @Test
    fun `the gateway, the fields and the words know no screen`() {
        val screens = mentions("dev.compass.sample.screen")
        assertEquals(emptySet<String>(), screens.filter { "/screen/" !in it && !it.endsWith("SampleApp.kt") }.toSet())
    }
}
