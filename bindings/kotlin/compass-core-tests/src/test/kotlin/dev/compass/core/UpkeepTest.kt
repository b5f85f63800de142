package dev.compass.core

import dev.compass.core.model.Erased
import dev.compass.core.model.SessionFilter
import dev.compass.core.testing.ManualClock
import java.nio.file.Path
import kotlin.time.Duration.Companion.days
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Automatic deletion, deletion by a person, and sessions that a search has not read yet. */
class UpkeepTest {
    @TempDir
    lateinit var folder: Path

    private val accepting = object : Transport {
        override fun send(request: TransportRequest) = TransportOutcome.Answered(TransportResponse(202))
    }

    @Test
    fun `a flush deletes old bodies first and then old sessions, and a person deletes the rest`() = test {
        val clock = ManualClock()
        val path = folder.resolve("compass.db").toString()
        val options = CompassOptions(path, secrets, accepting, retention = 3.days, bodyRetention = 1.days, clock = clock)
        folder.ready(options).use { compass ->
            suspend fun passes(days: Int) = repeat(days) {
                clock.advance(1.days)
                compass.flush()
            }
            val old = compass.completed()
            compass.flush()
            val delivery = compass.record(old).actions.single().deliveries.single().id
            assertNotNull(compass.deliveryBody(delivery))
            passes(days = 2)
            assertNull(compass.deliveryBody(delivery))
            compass.setIntegrationEnabled(false)
            val notFired = compass.completed()
            val ended = compass.end(compass.start("pump-check").view.key, "nobody home").view.key
            passes(days = 2)
            assertCode(ErrorCode.DELETED_SESSION) { compass.session(old) }

            val report = compass.purge(0.days)
            assertEquals(listOf(1L, 1L, 0L), listOf(report.purged, report.keptNotFired, report.keptUndelivered))
            assertEquals(Erased.NOW, report.erased)
            assertCode(ErrorCode.DELETED_SESSION) { compass.session(ended) }
            val byAPerson = compass.purgeAllBefore(clock.now, "kim")
            assertEquals(listOf(1L, 0L), listOf(byAPerson.purged, byAPerson.keptNotFired))
            assertCode(ErrorCode.DELETED_SESSION) { compass.session(notFired) }
            assertEquals(Erased.NOW, compass.delete(compass.completed()).erased)
        }
    }

    @Test
    fun `a search reports how many sessions it has not read`() = test {
        folder.ready().use { compass ->
            repeat(201) { compass.start("pump-check") }
            val search = SessionFilter(text = "pump")
            assertEquals(listOf(1L, 0L), List(2) { compass.sessions(search).notIndexed })
        }
    }
}
