package dev.compass.sample.app

import java.io.File
import java.lang.management.ManagementFactory
import java.util.concurrent.TimeUnit
import kotlin.io.path.createTempDirectory
import org.junit.AfterClass
import org.junit.Assert.assertTrue
import org.junit.BeforeClass
import org.junit.Test

/**
 * A whole day. In another process a session begins and the phone is turned; it is destroyed in the middle of a word, and only then does this
 * one open the same flash.
 */
class DeathTest : Technician() {
    @Test
    fun `a session outlives the phone's death, ends without signal, and Android's job delivers it with the app gone`() {
        opensTheApp()
        sees("Find the pump.")
        until("the half word") { line("Pressure")?.text.toString() == "2." }
        until("the answer before it") { line("Site")?.text.toString() == "Mill Lane" }
        taps("Add a note")
        until("the half-typed note") { line("What should be remembered?")?.text.toString() == "Beware of the" }
        types("What should be remembered?", "Beware of the dog")
        taps("Save the note")

        office().use { office ->
            prepared(office.url)
            types("Pressure", "2.5")
            taps("It runs")
            sees("Good bye.")
            taps("Review and complete")
            taps("Complete")
            sees("Pending")
            sees("No signal: 1 saved, will send")

            leavesTheApp()
            signal()
            assertTrue("nobody has sent yet", office.received.isEmpty())
            androidRunsTheJob()
            val message = office.received.single()
            assertTrue(message.isSignedWith(SECRET))
            assertTrue(message.text, "\"value\":2.5" in message.text && "\"Mill Lane\"" in message.text)

            returnsToTheApp()
            sees("Sent")
            sees("Note: Beware of the dog")
            sees("Everything is sent")
        }
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
