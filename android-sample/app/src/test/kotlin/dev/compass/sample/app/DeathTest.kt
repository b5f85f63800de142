package dev.compass.sample.app

import java.io.File
import java.lang.management.ManagementFactory
import java.util.concurrent.TimeUnit
import kotlin.io.path.createTempDirectory
import org.junit.AfterClass
import org.junit.Assert.assertTrue
import org.junit.BeforeClass
import org.junit.Test

/** A battery that dies: another process is destroyed in the middle of a word, and only then does this one open the same flash. */
class DeathTest : Technician() {
    @Test
    fun `after the phone has died the technician is where he was, the half word included`() {
        opensTheApp()
        sees("Find the pump.")
        until("the half word") { line("Pressure")?.text.toString() == "2." }
        until("the answer before it") { line("Site")?.text.toString() == "Mill Lane" }
    }

    companion object {
        private const val LAST = 60
        private const val PATIENCE_SECONDS = 120L

        // Before this process has an app.
        @JvmStatic
        @BeforeClass
        fun anotherProcessDies() {
            val flash = createTempDirectory("flash").toFile()
            val first = start(flash)
            // A child that hangs ends the reading below.
            val watch = Thread { if (!first.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) first.destroyForcibly() }.apply { isDaemon = true }
            watch.start()
            val lines = mutableListOf<String>()
            val said = first.inputStream.bufferedReader()
            val reached = generateSequence { said.readLine() }.onEach(lines::add).any { LastMoments.REACHED in it }
            first.destroyForcibly()
            assertTrue(first.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS))
            assertTrue("the first process did not get there: ${lines.takeLast(LAST).joinToString("\n")}", reached)
            PhoneApp.flash = flash
        }

        @JvmStatic
        @AfterClass
        fun ownFlash() {
            PhoneApp.flash = null
        }

        private fun start(flash: File): Process {
            val passed = listOf(
                "robolectric.offline", "robolectric.dependency.dir", "robolectric.enabledSdks", "robolectric.graphicsMode", "robolectric.logging", "jna.library.path",
            ).mapNotNull { name -> System.getProperty(name)?.let { "-D$name=$it" } }
            val flags = ManagementFactory.getRuntimeMXBean().inputArguments.filter { it.startsWith("--add-opens") || it.startsWith("-Xmx") }
            val path = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
            return ProcessBuilder(
                listOf("${System.getProperty("java.home")}/bin/java") + flags + passed +
                    listOf("-Dphone.flash=$flash", "-cp", path, "org.junit.runner.JUnitCore", LastMoments::class.java.name),
            ).redirectErrorStream(true).start()
        }
    }
}
