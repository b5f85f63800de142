package dev.compass.core

import dev.compass.core.internal.ChangeListener
import dev.compass.core.internal.Core
import dev.compass.core.internal.InternalException
import dev.compass.core.internal.OpenOptions
import dev.compass.core.model.Command
import dev.compass.core.model.CoreException
import dev.compass.core.model.FfiConverterUInt
import dev.compass.core.model.FfiConverterULong
import dev.compass.core.model.FfiConverterUShort
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.FieldKind
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.Notice
import dev.compass.core.model.Start
import dev.compass.core.model.TextRule
import dev.compass.core.testing.ManualClock
import java.nio.ByteBuffer
import java.nio.file.Path
import java.time.Duration
import java.time.Instant
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTimeoutPreemptively
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The FFI itself, below the wrapper. */
class FfiTest {
    @TempDir
    lateinit var folder: Path

    private fun core(): Core = Core.open(OpenOptions(path = folder.resolve("ffi.db").toString())).apply {
        importWorkflow(PUMP_CHECK.toByteArray())
    }

    @Test
    fun `a listener may call the core and unsubscribe itself`() = watched {
        val core = core()
        val calls = AtomicInteger()
        val mine = AtomicReference<dev.compass.core.internal.Subscription>()
        mine.set(
            core.observe(object : ChangeListener {
                override fun onChange(notice: Notice) {
                    // A query and a command, which notifies this listener again before it returns.
                    val view = core.session(notice.sessions.single())
                    if (calls.incrementAndGet() < 3) core.saveDraft(view.key, "site", "half") else mine.get().cancel()
                    if (calls.get() < 3) core.run(view.key, null, listOf(Command.Note("note-$calls", "again")))
                }
            }),
        )
        val session = core.start(Start("start-1", "pump-check")).view.key
        assertEquals(3, calls.get())
        assertEquals(2, core.session(session).notes.size)
        core.run(session, null, listOf(Command.Note("last", "nobody is notified")))
        assertEquals(3, calls.get())
        mine.get().close()
        core.shutDown()
        core.close()
    }

    @Test
    fun `a listener that throws changes nothing`() = watched {
        val core = core()
        val subscription = core.observe(object : ChangeListener {
            override fun onChange(notice: Notice): Unit = throw IllegalStateException("of the app")
        })
        core.start(Start("start-1", "pump-check"))
        subscription.close()
        core.shutDown()
        core.close()
    }

    @Test
    fun `a hundred thousand subscriptions leave nothing behind`() = watched {
        val core = core()
        val before = Handles.listeners
        val deaf = object : ChangeListener {
            override fun onChange(notice: Notice) = Unit
        }
        repeat(100_000) {
            val subscription = core.observe(deaf)
            subscription.cancel()
            subscription.close()
        }
        assertEquals(before, Handles.listeners)
        core.shutDown()
        core.close()
    }

    @Test
    fun `a panic becomes an exception, and the library goes on`() = watched {
        val clock = dev.compass.core.internal.testing.ManualClock()
        // A function that cannot fail panics when its argument cannot be read: this moment is outside the core's calendar.
        assertThrows(dev.compass.core.internal.testing.InternalException::class.java) { clock.setWall(Instant.MAX) }
        clock.advance(1)
        core().run {
            shutDown()
            close()
        }
    }

    @Test
    fun `a number below zero is refused before the call`() = watched {
        val core = core()
        val session = core.start(Start("start-1", "pump-check")).view.key
        val refused = assertThrows(CoreException.Failed::class.java) { core.run(session, null, listOf(Command.Complete(-1))) }
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code)
        core.shutDown()
        core.close()
    }

    @Test
    fun `a limit that no number of Kotlin holds arrives as the largest one`() = watched {
        val definition = FieldDefinition("site", "Site", kind = FieldKind.Text(TextRule(maxLength = Int.MAX_VALUE)))
        assertEquals(FieldState.Provided(FieldValue.Text("hall")), definition.parse("hall"))
        val bytes = ByteBuffer.wrap(byteArrayOf(-1, -1, -1, -1, -1, -1, -1, -1))
        assertEquals(Int.MAX_VALUE, FfiConverterUInt.read(bytes))
        assertEquals(Long.MAX_VALUE, FfiConverterULong.read(bytes.apply { rewind() }))
        assertEquals(65_535, FfiConverterUShort.read(bytes.apply { rewind() }))
    }

    @Test
    fun `a panic leaves the wrapper as the error internal, without its message`() {
        val panicked = InternalException("42 Mill Lane").asWrapped()
        assertEquals(ErrorCode.INTERNAL to false, panicked.code to panicked.retryable)
        assertEquals(false, panicked.message!!.contains("Mill Lane"))
        assertEquals(null, panicked.cause)
    }

    private fun Exception.asWrapped(): CompassException = try {
        calling { throw this }
    } catch (failed: CompassException) {
        failed
    }

    private fun watched(body: () -> Unit) = assertTimeoutPreemptively(Duration.ofSeconds(60), body)
}
