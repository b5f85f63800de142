package dev.compass.core

import dev.compass.core.model.SessionView
import dev.compass.core.testing.FakeCompass
import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.jar.JarFile
import kotlin.io.path.extension
import kotlin.io.path.name
import kotlin.io.path.readText
import kotlin.reflect.KClass
import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiTools
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What apps compile against. */
class ApiTest {
    private val modules = Path.of(System.getProperty("repository.root"), "bindings", "kotlin")

    /** The listing is in `bindings/kotlin/api`. For an intended change run with `-Dapi.write=true`, and read the difference. */
    private fun assertDump(name: String, member: KClass<*>, excluded: Set<String> = emptySet()) {
        val classes = File(member.java.protectionDomain.codeSource.location.toURI())
        val dump = buildString {
            AbiTools.getInstance().printJvmDump(this, classFiles(classes), AbiFilters(emptySet(), excluded, emptySet(), emptySet()))
        }
        val committed = modules.resolve("api/$name.api")
        if (System.getProperty("api.write") == "true") {
            Files.createDirectories(committed.parent)
            Files.writeString(committed, dump)
        }
        assertTrue(dump.lines().size > 20, dump)
        assertEquals(committed.readText(), dump, "the API of $name differs from its listing")
    }

    private fun classFiles(classes: File): List<File> =
        if (classes.isDirectory) classes.walk().filter { it.extension == "class" }.toList() else listOf(classes)

    @Test
    fun `the API of the wrapper is the one in the listing`() = assertDump("compass-core", Compass::class)

    @Test
    fun `the API of the model is the one in the listing`() = assertDump("compass-core-model", SessionView::class, converters())

    @Test
    fun `the API of the fakes is the one in the listing`() = assertDump("compass-core-testing", FakeCompass::class)

    /** Classes that the generator needs and no app sees: all of the facade, and the converters in the model. */
    private fun converters(): Set<String> = setOf(
        "dev.compass.core.internal.**",
        "dev.compass.core.model.FfiConverter*",
        "dev.compass.core.model.Uniffi*",
        "dev.compass.core.model.**RustBuffer**",
        "dev.compass.core.model.ForeignBytes*",
        "dev.compass.core.model.Disposable*",
        "dev.compass.core.model.NoHandle",
        "dev.compass.core.model.InternalException",
        "dev.compass.core.model.Compass_coreKt",
        "dev.compass.core.model.**ErrorHandler",
        "dev.compass.core.model.**Cleaner**",
    )

    @Test
    fun `every member of the model has a name, which Java can call`() {
        // Kotlin adds a hyphen and a hash to a name when a type is an inline class: other languages cannot write that.
        val unnamed = Regex("""fun (getV\d|\S*-)""")
        val found = modules.resolve("api/compass-core-model.api").readText().lines().filter { unnamed.containsMatchIn(it) }
        assertEquals(emptyList<String>(), found)
    }

    @Test
    fun `no signature of the wrapper names the generated facade`() {
        for (name in listOf("compass-core", "compass-core-testing")) {
            val leaks = modules.resolve("api/$name.api").readText().lines().filter { "dev/compass/core/internal" in it }
            assertEquals(emptyList<String>(), leaks)
        }
    }

    @Test
    fun `every public type that is written by hand is described, with an example`() {
        val declaration = Regex("^public (?:[a-z]+ )*(?:class|interface|object) (\\w+)")
        var types = 0
        for (module in listOf("compass-core", "compass-core-testing")) {
            for (file in sources(modules.resolve(module))) {
                val lines = file.readText().lines()
                lines.forEachIndexed { at, line ->
                    val name = declaration.find(line)?.groupValues?.get(1) ?: return@forEachIndexed
                    val comment = lines.take(at).takeLastWhile { it.startsWith(" *") || it.startsWith("/**") || it.startsWith("@") }
                    assertTrue(comment.any { "```kotlin" in it }, "$name in ${file.name} has no example")
                    types++
                }
            }
        }
        assertTrue(types > 15, "$types types")
    }

    @Test
    fun `every public function that is written by hand is described`() {
        val declaration = Regex("^ *public (?!companion)(?:[a-z]+ )*(?:fun|val|var|class|interface|object|constructor)\\b")
        for (module in listOf("compass-core", "compass-core-testing")) {
            for (file in sources(modules.resolve(module))) {
                val lines = file.readText().lines()
                var inParameters = false
                lines.forEachIndexed { at, line ->
                    val documented = lines.take(at).lastOrNull { !it.trim().startsWith("@") }?.trim().orEmpty()
                    // Properties of a constructor are documented with their class.
                    if (declaration.containsMatchIn(line) && !inParameters) {
                        assertTrue(documented.endsWith("*/"), "${file.name}: ${line.trim()}")
                    }
                    if (line.trimEnd().endsWith("(") && "class" in line) inParameters = true
                    if (line.startsWith(")")) inParameters = false
                }
            }
        }
    }

    private fun sources(module: Path): List<Path> =
        Files.walk(module.resolve("src/main")).use { all -> all.filter { it.extension == "kt" }.sorted().toList() }

    @Test
    fun `the only JNA is the app's, and the classes run on Java 11`() {
        val classes = File(Compass::class.java.protectionDomain.codeSource.location.toURI())
        val bytes = if (classes.isDirectory) {
            File(classes, "dev/compass/core/Compass.class").readBytes()
        } else {
            JarFile(classes).use { jar -> jar.getInputStream(jar.getEntry("dev/compass/core/Compass.class")).readBytes() }
        }
        // Major version of the class file: 55 is Java 11.
        assertEquals(55, bytes[7].toInt())
        assertTrue("com.sun.jna" !in modules.resolve("compass-core/pom.xml").readText())
    }
}
