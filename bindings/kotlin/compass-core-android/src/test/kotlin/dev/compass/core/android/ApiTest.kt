package dev.compass.core.android

import java.io.File
import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiTools
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

/** What apps compile against. */
class ApiTest {
    @Test
    fun `the API is the one in the listing`() {
        val classes = File("target/classes").walk().filter { it.extension == "class" }.toList()
        val dump = buildString {
            AbiTools.getInstance().printJvmDump(this, classes, AbiFilters(emptySet(), emptySet(), emptySet(), emptySet()))
        }
        // For an intended change run with -Dapi.write=true, and read the difference.
        val committed = File("../api/compass-core-android.api")
        if (System.getProperty("api.write") == "true") committed.writeText(dump)
        assertTrue(dump.contains("CompassAndroid"))
        assertEquals("the API differs from its listing", committed.readText(), dump)
        assertTrue("a signature names the generated facade", "dev/compass/core/internal" !in dump)
    }

    @Test
    fun `every public type is described, with an example`() {
        val declaration = Regex("^public (?:[a-z]+ )*(?:class|interface|object) (\\w+)")
        val without = mutableListOf<String>()
        var types = 0
        for (file in File("src/main/kotlin").walk().filter { it.extension == "kt" }) {
            val lines = file.readLines()
            lines.forEachIndexed { at, line ->
                val name = declaration.find(line)?.groupValues?.get(1) ?: return@forEachIndexed
                val comment = lines.take(at).takeLastWhile { it.startsWith(" *") || it.startsWith("/**") }
                if (comment.none { "```kotlin" in it }) without += name
                types++
            }
        }
        assertEquals(emptyList<String>(), without)
        assertTrue(types >= 6)
    }

    @Test
    fun `APIs newer than 26 are named in one file`() {
        val marked = File("src/main/kotlin").walk().filter { it.extension == "kt" && "@LaterApi\n" in it.readText() }
        assertEquals(listOf("LaterApis.kt"), marked.map { it.name }.toList())
    }
}
