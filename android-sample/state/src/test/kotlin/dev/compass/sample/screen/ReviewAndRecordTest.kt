package dev.compass.sample.screen

import dev.compass.core.model.Action
import dev.compass.core.model.ActionStatus
import dev.compass.core.model.FieldValue
import dev.compass.core.model.NoteEdit
import dev.compass.core.model.Problem
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.TimelineEntry
import dev.compass.core.model.TimelineItem
import dev.compass.core.testing.FakeCompass
import dev.compass.core.testing.FakeState
import dev.compass.sample.NOW
import dev.compass.sample.assertCounts
import dev.compass.sample.assertSays
import dev.compass.sample.atWork
import dev.compass.sample.boilerService
import dev.compass.sample.desk
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.FieldMark
import dev.compass.sample.field.InputUi
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.record.RecordEvent
import dev.compass.sample.screen.record.RecordModel
import dev.compass.sample.screen.record.TimelineSign
import dev.compass.sample.screen.record.indented
import dev.compass.sample.screen.review.ReviewEvent
import dev.compass.sample.screen.review.ReviewModel
import dev.compass.sample.session
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

class ReviewAndRecordTest {
    private val boiler = boilerService()

    private fun closing(on: Boolean = true): FakeState = atWork().run {
        copy(
            views = mapOf("s" to boiler.session("s", "closed")),
            records = mapOf("s" to records.getValue("s3").copy(key = "s")),
            integrationEnabled = on,
        )
    }

    private fun finished(change: SessionRecord.() -> SessionRecord = { this }) =
        atWork().run { copy(records = records + ("s3" to records.getValue("s3").change())) }

    private fun FakeCompass.drafts() =
        current.records.getValue("s3").fields.mapNotNull { field -> field.draft?.let { field.definition.key to it } }.toMap()

    private fun Action.locked() = copy(status = ActionStatus.FAILED, reason = "rejected", failedSends = 4, locked = true)

    private val takenBack = TimelineItem(1, NOW, 0, null, TimelineEntry.Answered("A", "B", 2, "C", superseded = true))

    private fun edited(reason: String?) =
        TimelineItem(1, NOW, 0, null, TimelineEntry.Edited(emptyList(), listOf(NoteEdit(4, "Key", "No key")), reason))

    // Review -------------------------------------------------------------------------------------------------------------------------

    @Test
    fun `the review says what will be sent and to whom, and completes in one tap`() = desk(closing(), at = "workflows session/s review/s") {
        val model = ReviewModel("s", work, scope)
        settle()
        assertCounts(CountId.WILL_SEND, 1, model.state.value.willSend)
        assertEquals("office", model.state.value.messages.single().endpoint)
        assertTrue(model.state.value.win && model.state.value.canComplete && !model.state.value.integrationOff)
        model.tap(ReviewEvent.Completed)
        assertEquals(listOf("complete s 3"), compass.asked)
        assertEquals(listOf(Screen.Workflows, Screen.Record("s")), navigator.stack.value.screens)
    }

    @Test
    fun `with webhooks off the review says that nothing will be sent`() = desk(closing(on = false)) {
        val model = ReviewModel("s", work, scope)
        settle()
        assertTrue(model.state.value.integrationOff)
    }

    @Test
    fun `what is missing leads back to where it is asked`() = desk(closing(), at = "workflows session/s review/s") {
        compass.change {
            val missing = Problem("flue_temp", "required", "", visit = 2)
            copy(views = mapOf("s" to views.getValue("s").copy(canComplete = false, completionProblems = listOf(missing))))
        }
        val model = ReviewModel("s", work, scope)
        settle()
        assertFalse(model.state.value.canComplete)
        assertEquals("Flue temperature (°C)", model.state.value.missing.single().name)
        model.tap(ReviewEvent.MissingOpened("flue_temp"))
        assertEquals(listOf("back s 3 2"), compass.asked)
        assertEquals(Screen.Session("s"), navigator.stack.value.top)
    }

    // The record ---------------------------------------------------------------------------------------------------------------------

    @Test
    fun `the record is chronological, won, and says what was not provided`() = desk(finished()) {
        val model = RecordModel("s3", work, scope)
        settle()
        val state = model.state.value
        assertTrue(state.won && state.canEdit)
        assertEquals(
            listOf(TimelineSign.STARTED, TimelineSign.ANSWER, TimelineSign.FIELD, TimelineSign.NOTE, TimelineSign.WON),
            state.timeline.map { it.sign },
        )
        assertEquals(state.timeline.size, state.timeline.map { it.key }.toSet().size)
        assertEquals(Text.Number(BigDecimal("182.50")), state.fields.first { it.key == "flue_temp" }.value)
        assertSays(TextId.NOT_PROVIDED, state.fields.first { it.key == "serial" }.value)
        assertEquals(listOf(ActionStatus.SENT to 1), state.totals.map { it.state to it.count })
    }

    @Test
    fun `an action shows its tries with their reasons`() = desk(finished()) {
        val model = RecordModel("s3", work, scope)
        settle()
        val action = model.state.value.actions.single()
        assertCounts(CountId.ATTEMPTS, 2, action.attempts)
        assertSays(TextId.ATTEMPT_SENT, action.attemptLines[0])
        assertSays(TextId.ATTEMPT_FAILED, action.attemptLines[1])
        assertSays(TextId.ACTION_SENT_AT, action.detail)
        assertFalse(action.canSend)
    }

    @Test
    fun `a locked action says so`() = desk(finished { copy(actions = actions.map { it.locked() }) }) {
        val model = RecordModel("s3", work, scope)
        settle()
        val warnings = model.state.value.actions.single().warnings
        assertCounts(CountId.FAILED_SENDS, 4, warnings[0])
        assertSays(TextId.ACTION_LOCKED, warnings[1])
        assertSays(TextId.REASON_REJECTED, model.state.value.actions.single().reason)
    }

    @Test
    fun `an action that differs from its message says which version is out there, and can be corrected`() {
        val versions = mapOf(
            (ActionStatus.SENT to 1) to TextId.ACTION_OLDER_DELIVERED,
            (ActionStatus.PENDING to null) to TextId.ACTION_OLDER_WAITS,
            (ActionStatus.FAILED to null) to TextId.ACTION_OLDER_WAITS,
        )
        for ((version, words) in versions) {
            val (status, delivered) = version
            val edited = finished {
                copy(
                    actions = actions.map {
                        it.copy(status = status, differsFromSent = true, deliveredRevision = delivered, canSendCorrected = true)
                    },
                )
            }
            desk(edited) {
                val model = RecordModel("s3", work, scope)
                settle()
                val action = model.state.value.actions.single()
                assertSays(words, action.warnings.single())
                assertTrue(action.canSendCorrected)
            }
        }
    }

    @Test
    fun `a correction that waits for an earlier version says so`() = desk(
        finished { copy(actions = actions.map { it.copy(status = ActionStatus.PENDING, reason = "earlier_revision") }) },
    ) {
        val model = RecordModel("s3", work, scope)
        settle()
        assertSays(TextId.REASON_EARLIER_REVISION, model.state.value.actions.single().reason)
    }

    @Test
    fun `an edit says why, where that was given`() = desk(finished { copy(timeline = listOf(edited("misread"), edited(null))) }) {
        val model = RecordModel("s3", work, scope)
        settle()
        val said = model.state.value.timeline.map { it.sign to (it.text as Text.Message).id }
        val changed = TimelineSign.EDITED to TextId.TIMELINE_NOTE_EDITED
        assertEquals(listOf(changed, TimelineSign.EDITED to TextId.TIMELINE_EDIT_REASON, changed), said)
    }

    @Test
    fun `what was taken back is in the record, and marked`() = desk(finished { copy(timeline = listOf(takenBack)) }) {
        val model = RecordModel("s3", work, scope)
        settle()
        assertEquals(TimelineSign.TAKEN_BACK, model.state.value.timeline.single().sign)
        assertEquals(Text.Moment(NOW), model.state.value.timeline.single().at, "nobody is named where nobody was")
    }

    @Test
    fun `only what was changed is edited`() = desk(finished()) {
        val model = RecordModel("s3", work, scope)
        settle()
        model.tap(
            RecordEvent.EditOpened,
            RecordEvent.Field(FieldEvent.Typed("serial", "AB-1")),
            RecordEvent.Field(FieldEvent.Typed("flue_temp", "182.50")),
            RecordEvent.Field(FieldEvent.Given("safe", FieldValue.Boolean(true))),
            RecordEvent.NoteTyped(4, "The key is under the mat."),
            RecordEvent.EditSaved,
        )
        assertEquals(listOf("edit s3 safe serial 4"), compass.asked)
        assertNull(model.state.value.editing)
    }

    @Test
    fun `an edit that is refused stays open with its problem`() = desk(finished()) {
        val model = RecordModel("s3", work, scope)
        settle()
        model.tap(RecordEvent.EditOpened, RecordEvent.Field(FieldEvent.Typed("flue_temp", "999")), RecordEvent.EditSaved)
        val editing = model.state.value.editing!!
        assertEquals(text(TextId.PROBLEM_TOO_LARGE, Text.Number(BigDecimal("350"))), editing.fields.first { it.key == "flue_temp" }.problem)
        assertFalse(editing.canSave)
        model.tap(RecordEvent.Dismissed)
        assertNull(model.state.value.editing)
        assertTrue(compass.asked.isEmpty())
    }

    @Test
    fun `what is typed into an edit is kept as it is typed, and is there when it is opened again`() = desk(finished()) {
        val model = RecordModel("s3", work, scope)
        settle()
        model.tap(
            RecordEvent.EditOpened,
            RecordEvent.Field(FieldEvent.Typed("serial", "AB-")),
            RecordEvent.Field(FieldEvent.Typed("flue_temp", "18")),
            RecordEvent.Field(FieldEvent.Given("safe", FieldValue.Boolean(true))),
        )
        assertEquals(mapOf("serial" to "AB-", "flue_temp" to "18"), compass.drafts())
        // Left, or the process died: another model reads what there is.
        model.tap(RecordEvent.Dismissed)
        for (next in listOf(model, RecordModel("s3", work, scope))) {
            settle()
            next.tap(RecordEvent.EditOpened)
            val fields = next.state.value.editing!!.fields.associateBy { it.key }
            assertEquals("AB-" to true, fields.getValue("serial").run { (input as InputUi.Line).text to unsaved })
            assertEquals(FieldMark.NOT_PROVIDED, fields.getValue("safe").mark, "what was tapped is forgotten")
        }
        model.tap(
            RecordEvent.Field(FieldEvent.Cleared("serial")),
            // As it was: nothing has changed.
            RecordEvent.Field(FieldEvent.Typed("flue_temp", "182.50")),
            RecordEvent.EditSaved,
        )
        assertEquals(emptyMap<String, String>(), compass.drafts())
        assertTrue(compass.asked.isEmpty())
    }

    @Test
    fun `a message that is given up while it is on its way may still arrive`() = desk(finished()) {
        val model = RecordModel("s3", work, scope)
        settle()
        model.tap(RecordEvent.AbandonOpened("notify-office"), RecordEvent.AbandonReasonTyped("sent by hand"), RecordEvent.AbandonConfirmed)
        assertNull(model.state.value.notice)
        compass.inFlight = true
        model.tap(RecordEvent.AbandonOpened("notify-office"), RecordEvent.AbandonReasonTyped("sent by hand"), RecordEvent.AbandonConfirmed)
        assertSays(TextId.NOTICE_MAY_ARRIVE, model.state.value.notice?.text)
    }

    @Test
    fun `giving up needs a reason`() = desk(finished()) {
        val model = RecordModel("s3", work, scope)
        settle()
        model.tap(RecordEvent.AbandonOpened("notify-office"), RecordEvent.AbandonConfirmed)
        assertTrue(compass.asked.isEmpty())
        model.tap(RecordEvent.AbandonReasonTyped("sent by hand"), RecordEvent.AbandonConfirmed)
        assertEquals(listOf("abandon s3 notify-office by Jo"), compass.asked)
    }

    @Test
    fun `giving up needs a name, which is asked where the settings do not say it`() = desk(finished()) {
        preferences.set(preferences.preferences.value.copy(actor = " "))
        val model = RecordModel("s3", work, scope)
        settle()
        model.tap(RecordEvent.AbandonOpened("notify-office"), RecordEvent.AbandonReasonTyped("sent by hand"), RecordEvent.AbandonConfirmed)
        assertTrue(model.state.value.abandoning!!.asksActor)
        assertTrue(compass.asked.isEmpty())
        model.tap(RecordEvent.AbandonActorTyped(" Kim "), RecordEvent.AbandonConfirmed)
        assertEquals(listOf("abandon s3 notify-office by Kim"), compass.asked)
    }

    @Test
    fun `an action is sent again from the record`() = desk(finished()) {
        val model = RecordModel("s3", work, scope)
        settle()
        model.tap(RecordEvent.SendTapped("notify-office"), RecordEvent.SendCorrectedTapped("notify-office"))
        assertEquals(listOf("send s3 notify-office", "sendCorrected s3 notify-office"), compass.asked)
        model.tap(RecordEvent.SendTapped("notify-office"))
        assertEquals(2, compass.asked.size, "a second tap was meant for the same message")
        assertFalse(model.state.value.working)
    }

    @Test
    fun `a message is indented for people, and its strings are left alone`() {
        assertEquals(
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": \"{,:\\\"\",\n  \"c\": {},\n  \"d\": []\n}",
            indented("""{"a":[1,2],"b":"{,:\"","c":{},"d":[]}"""),
        )
    }
}
