package dev.compass.core

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Applied
import dev.compass.core.model.Change
import dev.compass.core.model.Connectivity
import dev.compass.core.model.DeliveryState
import dev.compass.core.model.FailureKind
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldValue
import dev.compass.core.model.FlushEnd
import dev.compass.core.model.NetworkNeed
import dev.compass.core.model.Phase
import dev.compass.core.model.ReplayFilter
import dev.compass.core.model.ReplayReport
import dev.compass.core.model.RequestSent
import dev.compass.core.model.Signing
import dev.compass.core.model.TimelineEntry
import dev.compass.core.model.TransportFailure
import dev.compass.core.testing.ManualClock
import dev.compass.core.testing.SinkAnswer
import dev.compass.core.testing.WebhookSink
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class DeliveryTest {
    @TempDir
    lateinit var folder: Path

    /** Waits in every `send` until the attempt is cancelled; with [answers] it answers 202 at once. */
    private class Waiting : Transport {
        val begun = LinkedBlockingQueue<Long>()
        private val gates = ConcurrentHashMap<Long, CountDownLatch>()

        @Volatile
        var answers = false

        override fun send(request: TransportRequest): TransportOutcome {
            if (answers) return TransportOutcome.Answered(TransportResponse(202))
            val gate = CountDownLatch(1)
            gates[request.id] = gate
            begun += request.id
            gate.await()
            return TransportOutcome.Failed(TransportFailure(FailureKind.Cancelled, Phase.RECEIVE, RequestSent.MAYBE, "cancelled"))
        }

        override fun cancel(id: Long) {
            gates[id]?.countDown()
        }
    }

    @Test
    fun `a person may ask for a flush in any state of the network`() = test {
        WebhookSink().use { office ->
            folder.ready(url = office.url).use { compass ->
                compass.completed()
                // The number of a network is the platform's; all its bits count.
                compass.setConnectivity(Connectivity.Online(validated = true, metered = false, network = Long.MAX_VALUE))
                assertEquals(1, compass.flush(urgent = true).sent)
            }
        }
    }

    @Test
    fun `a completed session arrives, signed, with the bytes that were frozen`() = test {
        WebhookSink().use { office ->
            folder.ready(url = office.url).use { compass ->
                val session = compass.completed()
                val report = compass.flush()
                assertEquals(FlushEnd.DRAINED, report.end)
                assertEquals(1, report.sent)

                val webhook = office.await()
                assertTrue(webhook.isSignedWith(SECRET))
                assertFalse(webhook.isSignedWith("whsec_${"A".repeat(32)}"))
                assertTrue(webhook.text.contains("\"value\":2.50"), webhook.text)
                val delivery = compass.record(session).actions.single().deliveries.single()
                assertEquals(webhook.id, delivery.id)
                assertEquals(webhook.text, compass.deliveryBody(delivery.id))
                assertEquals(ActionStatus.SENT, compass.record(session).actions.single().status)
            }
        }
    }

    @Test
    fun `background delivery sends new messages until it is stopped`() = test {
        WebhookSink().use { office ->
            folder.ready(url = office.url).use { compass ->
                compass.startDelivery()
                val session = compass.completed()
                withContext(Dispatchers.IO) { office.await(20.seconds) }
                compass.observeRecord(session).first { it.actions.single().status == ActionStatus.SENT }
                compass.stopDelivery()
                compass.completed()
                assertEquals(1L, compass.outboxTotals().pending)
            }
        }
    }

    @Test
    fun `a busy receiver gets the message later, by the clock`() = test {
        val clock = ManualClock()
        val answers = ArrayDeque(listOf(SinkAnswer(503, mapOf("retry-after" to "120")), SinkAnswer(202)))
        WebhookSink { answers.removeFirst() }.use { office ->
            folder.ready(folder.options(clock = clock), url = office.url).use { compass ->
                compass.completed()
                assertEquals(1, compass.flush().retrying)
                assertEquals(0, compass.flush().attempts)
                val due = compass.nextDue().at!!
                assertTrue(due >= clock.now.plusSeconds(96), "$due")
                clock.advance(10.minutes)
                assertEquals(1, compass.flush().sent)
                val (first, second) = office.received
                assertEquals(first.id to first.text, second.id to second.text)
                assertEquals("2", second.headers["compass-attempt"])
            }
        }
    }

    @Test
    fun `cancelling in the middle of a flush releases the claim`() = test {
        val transport = Waiting()
        folder.ready(folder.options(transport = transport)).use { compass ->
            compass.completed()
            val flushing = launch(Dispatchers.Default) { compass.flush(60.seconds) }
            withContext(Dispatchers.IO) { transport.begun.take() }
            flushing.cancelAndJoin()

            val waiting = compass.outbox().items.single().delivery
            assertEquals(DeliveryState.PENDING, waiting.state)
            assertEquals("interrupted", waiting.reason)
            assertTrue(waiting.mayHaveBeenDelivered)
            // A claim would keep it back for a minute.
            transport.answers = true
            assertEquals(1, compass.flush().sent)
        }
    }

    @Test
    fun `quiescing in the middle of a flush ends it`() = test {
        val transport = Waiting()
        folder.ready(folder.options(transport = transport)).use { compass ->
            compass.completed()
            val flushing = async(Dispatchers.Default) { compass.flush(60.seconds).end }
            withContext(Dispatchers.IO) { transport.begun.take() }
            compass.quiesce()
            assertEquals(FlushEnd.QUIESCED, flushing.await())
        }
    }

    @Test
    fun `commands go on while a flush waits for a receiver`() = test {
        val transport = Waiting()
        folder.ready(folder.options(transport = transport)).use { compass ->
            compass.completed()
            val flushing = launch(Dispatchers.Default) { compass.flush(60.seconds) }
            withContext(Dispatchers.IO) { transport.begun.take() }
            repeat(10) { compass.completed() }
            assertTrue(flushing.isActive)
            flushing.cancelAndJoin()
        }
    }

    @Test
    fun `without a network no attempt is made, and the blocker is reported`() = test {
        folder.ready().use { compass ->
            compass.setConnectivity(Connectivity.Offline)
            compass.completed()
            val report = compass.flush()
            assertEquals(FlushEnd.OFFLINE to 0, report.end to report.attempts)
            assertEquals(NetworkNeed.ANY, compass.nextDue().whenOnline)
        }
    }

    @Test
    fun `a transport that throws leaves open whether the message arrived`() = test {
        val broken = object : Transport {
            override fun send(request: TransportRequest): TransportOutcome = throw IllegalStateException("of the app, with ${request.url}")
        }
        folder.ready(folder.options(transport = broken)).use { compass ->
            compass.completed()
            compass.flush()
            assertTrue(compass.outbox().items.single().delivery.mayHaveBeenDelivered)
        }
    }

    @Test
    fun `what was delivered is sent once more, with the same id and bytes`() = test {
        WebhookSink().use { office ->
            folder.ready(url = office.url).use { compass ->
                val session = compass.completed()
                compass.flush()
                val action = compass.replay(session, "report", actor = "kim").record.actions.single()
                assertEquals(ActionStatus.SENT to DeliveryState.PENDING, action.status to action.replays.single().state)
                assertEquals(Applied.STALE, compass.replaySession(session).applied, "it waits already")
                compass.flush()
                val (first, second) = office.received
                assertEquals(first.text to first.headers["webhook-id"], second.text to second.headers["webhook-id"])
                assertEquals(ReplayReport(replayed = 1), compass.replaySent(ReplayFilter("office")))
                assertEquals("nowhere", assertCode(ErrorCode.UNKNOWN_ENDPOINT) { compass.replaySent(ReplayFilter("nowhere")) }.place)
            }
        }
    }

    @Test
    fun `a rejected message is corrected and sent again`() = test {
        val answers = ArrayDeque(listOf(422, 202))
        WebhookSink { SinkAnswer(answers.removeFirst()) }.use { office ->
            folder.ready(url = office.url).use { compass ->
                val session = compass.completed()
                assertEquals(1, compass.flush().failed)
                assertEquals(1L, compass.outboxTotals().needsPerson)
                assertCode(ErrorCode.NOTHING_CORRECTED) { compass.sendCorrected(session, "report") }
                compass.edit(session, listOf(FieldChange("site", Change.Set(FieldValue.Text("Mill Road")))))
                compass.sendCorrected(session, "report", actor = "kim")
                assertEquals(1, compass.flush().sent)
                assertTrue(office.received.last().text.contains("Mill Road"))
                assertEquals(2, compass.record(session).actions.single().deliveries.size)
            }
        }
    }

    @Test
    fun `a sent message is corrected with a second one, which names the first`() = test {
        WebhookSink().use { office ->
            folder.ready(url = office.url).use { compass ->
                val session = compass.completed()
                assertEquals(1, compass.flush().sent)
                suspend fun action() = compass.record(session).actions.single()
                assertEquals(false to false, action().run { differsFromSent to canSendCorrected })

                val change = FieldChange("site", Change.Set(FieldValue.Text("Mill Road")))
                compass.edit(session, listOf(change), actor = "kim", reason = "misread")
                val edited = compass.record(session)
                assertEquals("misread", edited.timeline.map { it.entry }.filterIsInstance<TimelineEntry.Edited>().single().reason)
                assertEquals(true to true, action().run { differsFromSent to canSendCorrected })
                assertEquals(ActionStatus.SENT to 1, action().run { status to deliveredRevision })
                assertEquals(1, compass.sessions().sessions.single().actionsDiffering)

                compass.sendCorrected(session, "report", actor = "kim")
                assertEquals(1, compass.flush().sent)
                assertEquals(false to 2, action().run { differsFromSent to deliveredRevision })
                assertEquals(listOf(DeliveryState.SENT, DeliveryState.SENT), action().deliveries.map { it.state })
                val (first, second) = office.received
                assertEquals(listOf("1", "2"), office.received.map { it.headers["compass-revision"] })
                assertEquals(listOf(null, first.headers["webhook-id"]), office.received.map { it.headers["compass-replaces"] })
                assertTrue("Mill Lane" in first.text && "Mill Road" in second.text)
            }
        }
    }

    @Test
    fun `messages are numbered, and on another device in a new series`() = test {
        WebhookSink().use { office ->
            for (device in listOf("one", "one", "two")) {
                val options = CompassOptions(folder.resolve("numbers.db").toString(), secrets, allowPlainHttpToLoopback = true, device = device)
                folder.ready(options, office.url).use { compass ->
                    compass.completed()
                    assertEquals(1, compass.flush().sent)
                }
            }
            val (series, numbers) = office.received.map { it.headers.getValue("compass-sequence").split("-") }.map { (a, b) -> a to b }.unzip()
            assertEquals(listOf("1", "2", "1"), numbers)
            assertEquals(listOf(true, false), listOf(series[0] == series[1], series[0] == series[2]))
        }
    }

    @Test
    fun `a test message shows whether an endpoint works`() = test {
        WebhookSink().use { office ->
            folder.ready(url = office.url).use { compass ->
                val test = compass.testDelivery("office")
                assertTrue(test.delivered)
                assertTrue(office.await().isSignedWith(SECRET))
            }
        }
    }

    @Test
    fun `an unsigned endpoint needs no secret, and the sent message is the preview`() = test {
        WebhookSink().use { office ->
            folder.ready(folder.options(secrets = null)).use { compass ->
                compass.putEndpoint(endpoint(office.url, Signing.None))
                val session = compass.completed()
                val preview = compass.preview(session, "report").body
                compass.flush()
                assertEquals(preview, office.await().text)
            }
        }
    }
}
