package dev.compass.core.android.quickstart

import android.os.Handler
import android.os.Looper
import androidx.work.ListenableWorker.Result
import androidx.work.WorkerParameters
import dev.compass.core.ErrorCode
import dev.compass.core.android.OnAPhone
import dev.compass.core.end
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.start
import dev.compass.core.testing.WebhookSink
import java.time.Instant
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executor
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

/** The other lines of the documentation: with replacements for AndroidX, and the real core. */
class GuideTest : OnAPhone() {
    private val uncaught = ConcurrentLinkedQueue<Throwable>()
    private val main = Executor { Handler(Looper.getMainLooper()).post(it) }.asCoroutineDispatcher()
    private val screen = CoroutineScope(SupervisorJob() + main + CoroutineExceptionHandler { _, failed -> uncaught += failed })

    @After
    fun closeTheScreen() = screen.cancel()

    @Test
    fun `the model of a session keeps the order, shows missing fields, and survives a refusal`() {
        val compass = ready()
        val key = wait { compass.start("pump-check") }.view.key
        val model = SessionModel(compass, key).apply { scope = screen }
        screen.launch { model.session.collect { } }
        until("the session") { model.session.value != null }

        model.answer(model.session.value!!, "on")
        until("the missing field") { model.problems.value.map { it.field } == listOf("site") }
        model.left("site", FieldValue.Text("Mill Lane"))
        model.answer(model.session.value!!, "on")
        until("the end section") { model.session.value?.section?.key == "done" }
        assertEquals(emptyList<Any>(), model.problems.value)

        wait { compass.end(key, "nobody home") }
        model.typing("site", "M")
        model.left("site", FieldValue.Text("Mill"))
        until("the refusal") { model.refused.value == ErrorCode.NOT_IN_PROGRESS }
        wait { compass.delete(key) }
        until("the end of the session") { model.refused.value == ErrorCode.DELETED_SESSION }
        assertEquals(emptyList<Throwable>(), uncaught.toList())
    }

    @Test
    fun `a scanned value takes the place of what was typed`() {
        val compass = ready()
        val view = wait { compass.start("pump-check") }.view
        val entry = FieldText(view.fields.first { it.definition.key == "site" }, view.key, compass, "ada") { screen.launch { it() } }
        entry.typed("Mi")
        entry.chosen(FieldValue.Text("Mill Lane"))
        wait { entry.commit().join() }
        val site = wait { compass.session(view.key) }.fields.first { it.definition.key == "site" }
        assertEquals(FieldState.Provided(FieldValue.Text("Mill Lane")) to null, site.state to site.draft)
        entry.chosen(FieldValue.Boolean(true))
        wait { entry.commit().join() }
        assertEquals("wrong_type", entry.problem.value)
    }

    @Test
    fun `a worker delivers and is done, also when the rest needs a person`() {
        networks.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        compass.completed()
        assertEquals(Result.success(), wait { FlushWorker(app, WorkerParameters()).doWork() })
        assertEquals(1, office.received.size)

        wait { compass.setEndpointEnabled("office", false) }
        compass.completed()
        assertEquals(Result.success(), wait { FlushWorker(app, WorkerParameters()).doWork() })
        assertEquals(1L, wait { compass.outboxTotals() }.pending)
    }

    @Test
    fun `what an office has lost is sent again, with the same id`() {
        networks.network()
        val office = WebhookSink().closing()
        val compass = ready(office.url)
        compass.completed()
        wait { compass.flush() }
        assertEquals(0 to 0, wait { sendAgain(compass, Instant.now().plusSeconds(3_600), "jo") })
        assertEquals(1 to 0, wait { sendAgain(compass, Instant.EPOCH, "jo") })
        wait { compass.flush() }
        assertEquals(2, office.received.size)
        assertEquals(office.received[0].id, office.received[1].id)
    }

    @Test
    fun `a worker that leaves due messages is tried again`() {
        networks.none()
        val compass = ready("http://127.0.0.1:1/hooks")
        compass.completed()
        assertEquals(Result.retry(), wait { FlushWorker(app, WorkerParameters()).doWork() })
        deliverLater(app)
        assertNull(uncaught.peek())
    }
}
