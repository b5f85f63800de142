package dev.compass.sample.screen

import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.model.Action
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.Command
import dev.compass.core.model.Delivery
import dev.compass.core.model.DeliveryState
import dev.compass.core.testing.FakeState
import dev.compass.core.testing.delivery
import dev.compass.sample.Desk
import dev.compass.sample.NOW
import dev.compass.sample.assertCounts
import dev.compass.sample.assertSays
import dev.compass.sample.atWork
import dev.compass.sample.desk
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.screen.record.RecordEvent
import dev.compass.sample.screen.record.RecordMenu
import dev.compass.sample.screen.record.RecordModel
import dev.compass.sample.screen.record.TimelineSign
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import java.math.BigDecimal
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The messages of a record: their order, sending them once more, and why a value was edited. */
class RecordMessagesTest {
    private fun finished(change: List<Action>.() -> List<Action> = { this }): FakeState = atWork().run {
        val record = records.getValue("s3")
        copy(records = records + ("s3" to record.copy(actions = record.actions.change())))
    }

    private fun of(vararg deliveries: Delivery) = finished { map { it.copy(deliveries = deliveries.toList()) } }

    private fun message(revision: Int, state: DeliveryState, reason: String? = null, replay: Int = 0) = delivery {
        copy(revision = revision, replay = replay, state = state, reason = reason, frozenAt = NOW, sentAt = if (state == DeliveryState.SENT) NOW else null)
    }

    private fun replayable(vararg keys: String) = finished {
        val one = single()
        keys.map { one.copy(key = it, name = it, canReplay = true) }
    }

    private fun Desk.opened(): RecordModel = RecordModel("s3", work, scope).also { settle() }

    // In order -----------------------------------------------------------------------------------------------------------------------

    @Test
    fun `the versions of a message are in order, and each that was sent again says so below it`() {
        val phone = finished {
            map {
                it.copy(
                    status = ActionStatus.PENDING,
                    // As the core lists them: the newest first.
                    deliveries = listOf(
                        message(3, DeliveryState.PENDING), message(2, DeliveryState.SENT), message(1, DeliveryState.SUPERSEDED, "superseded"),
                    ),
                    replays = listOf(message(2, DeliveryState.PENDING, replay = 2), message(2, DeliveryState.SENT, replay = 1)),
                )
            }
        }
        desk(phone) {
            val lines = opened().state.value.actions.single().messages
            fun version(id: TextId, number: Int, became: Text) = text(id, Text.Number(BigDecimal(number)), became)
            val now = Text.Moment(NOW)
            assertEquals(
                listOf(
                    version(TextId.VERSION_FIRST, 1, text(TextId.VERSION_REPLACED)),
                    version(TextId.VERSION_CORRECTION, 2, text(TextId.VERSION_SENT, now)),
                    text(TextId.REPLAY_SENT, now),
                    text(TextId.REPLAY_WAITS, now),
                    version(TextId.VERSION_CORRECTION, 3, text(TextId.VERSION_WAITS, now)),
                ),
                lines.map { it.text },
            )
            assertEquals(listOf(false, false, true, true, false), lines.map { it.replay })
            assertEquals(lines.size, lines.map { it.key }.toSet().size)
        }
    }

    @Test
    fun `a version that failed says why, and one that was not sent again too`() {
        val phone = finished {
            map {
                it.copy(
                    deliveries = listOf(message(2, DeliveryState.FAILED, "rejected"), message(1, DeliveryState.SENT)),
                    replays = listOf(message(1, DeliveryState.FAILED, "abandoned", replay = 1)),
                )
            }
        }
        desk(phone) {
            val lines = opened().state.value.actions.single().messages.map { it.text }
            assertEquals(text(TextId.REPLAY_FAILED, text(TextId.REASON_ABANDONED)), lines[1])
            assertEquals(text(TextId.VERSION_FAILED, text(TextId.REASON_REJECTED)), (lines[2] as Text.Message).args[1])
        }
    }

    @Test
    fun `of a single message the action says when it was sent, and of several their list`() {
        desk(of(message(1, DeliveryState.SENT))) {
            val action = opened().state.value.actions.single()
            assertTrue(action.messages.isEmpty())
            assertSays(TextId.ACTION_SENT_AT, action.detail)
        }
        desk(of(message(2, DeliveryState.SENT), message(1, DeliveryState.SENT))) {
            val action = opened().state.value.actions.single()
            assertEquals(2, action.messages.size)
            assertNull(action.detail)
        }
    }

    // Once more ----------------------------------------------------------------------------------------------------------------------

    @Test
    fun `what was delivered is sent again after a question`() = desk(replayable("report", "invoice")) {
        val model = opened()
        assertTrue(model.state.value.canReplay)
        model.tap(RecordEvent.ReplayConfirmed)
        assertTrue(compass.asked.isEmpty(), "nothing was asked")
        model.tap(RecordEvent.MenuOpened)
        assertEquals(RecordMenu.CHOICES, model.state.value.menu)
        model.tap(RecordEvent.ReplayOpened)
        assertEquals(RecordMenu.REPLAY, model.state.value.menu)
        assertTrue(compass.asked.isEmpty())
        model.tap(RecordEvent.ReplayConfirmed, RecordEvent.ReplayConfirmed)
        assertEquals(listOf("replaySession s3 Jo"), compass.asked, "a second tap was meant for the same")
        assertNull(model.state.value.menu)
        assertCounts(CountId.WILL_SEND_AGAIN, 2, model.state.value.notice?.text)
        assertFalse(model.state.value.notice!!.failed)
        assertFalse(model.state.value.canReplay || model.state.value.working)
        assertTrue(model.state.value.actions.all { action -> action.messages.last().replay })
    }

    @Test
    fun `the question is left without a trace`() = desk(replayable("report")) {
        val model = opened()
        model.tap(RecordEvent.MenuOpened, RecordEvent.ReplayOpened, RecordEvent.Dismissed)
        assertNull(model.state.value.menu)
        assertTrue(compass.asked.isEmpty())
    }

    @Test
    fun `what is no longer on the phone is not sent again, and the record says so`() = desk(replayable("report", "invoice")) {
        compass.dropped = setOf("invoice")
        val model = opened()
        model.tap(RecordEvent.MenuOpened, RecordEvent.ReplayOpened, RecordEvent.ReplayConfirmed)
        val said = model.state.value.notice?.text as Text.Message
        assertSays(TextId.NOTICE_REPLAYED_IN_PART, said)
        assertCounts(CountId.WILL_SEND_AGAIN, 1, said.args[0])
        assertCounts(CountId.CANNOT_SEND_AGAIN, 1, said.args[1])
        // What waits is not asked for again: only the other is left, and it is gone.
        model.tap(RecordEvent.MenuOpened, RecordEvent.ReplayOpened, RecordEvent.ReplayConfirmed)
        assertCounts(CountId.CANNOT_SEND_AGAIN, 1, model.state.value.notice?.text)
        assertTrue(model.state.value.notice!!.failed)
    }

    @Test
    fun `where nothing was delivered nothing can be sent again`() = desk(finished()) {
        val model = opened()
        model.tap(RecordEvent.MenuOpened, RecordEvent.ReplayOpened)
        assertFalse(model.state.value.canReplay)
        assertEquals(RecordMenu.CHOICES, model.state.value.menu)
    }

    @Test
    fun `what another screen sent again meanwhile is not sent twice`() = desk(replayable("report")) {
        val model = opened()
        model.tap(RecordEvent.MenuOpened, RecordEvent.ReplayOpened)
        compass.change { copy(records = finished().records) }
        model.tap(RecordEvent.ReplayConfirmed)
        assertSays(TextId.NOTICE_NOTHING_TO_SEND, model.state.value.notice?.text)
    }

    @Test
    fun `a refusal is said, and the record goes on`() = desk(replayable("report")) {
        val model = opened()
        compass.refuseNext(CompassException(ErrorCode.DISK_FULL), of = "replaySession")
        model.tap(RecordEvent.MenuOpened, RecordEvent.ReplayOpened, RecordEvent.ReplayConfirmed)
        assertSays(TextId.FAILURE_DISK_FULL, model.state.value.notice?.text)
        assertFalse(model.state.value.working)
    }

    // Why it was edited ----------------------------------------------------------------------------------------------------------------

    @Test
    fun `an edit may say why`() {
        for ((typed, kept) in listOf(" Misread " to "Misread", " " to null, null to null)) {
            desk(finished()) {
                val model = opened()
                model.tap(RecordEvent.EditOpened, RecordEvent.Field(FieldEvent.Typed("serial", "AB-1")))
                typed?.let { model.tap(RecordEvent.EditReasonTyped(it)) }
                assertEquals(typed.orEmpty(), model.state.value.editing?.reason)
                model.tap(RecordEvent.EditSaved)
                assertEquals(kept, (compass.commands.single() as Command.Edit).reason)
                model.tap(RecordEvent.EditOpened)
                assertEquals("", model.state.value.editing?.reason, "the next edit has its own")
            }
        }
    }

    @Test
    fun `a reason alone is no edit`() = desk(finished()) {
        val model = opened()
        model.tap(RecordEvent.EditOpened, RecordEvent.EditReasonTyped("Misread"), RecordEvent.EditSaved)
        assertTrue(compass.asked.isEmpty())
        assertNull(model.state.value.editing)
        assertFalse(model.state.value.timeline.any { it.sign == TimelineSign.EDITED })
    }
}
