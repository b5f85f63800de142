package dev.compass.sample.screen

import dev.compass.core.CompassException
import dev.compass.core.testing.FakeState
import dev.compass.sample.Desk
import dev.compass.sample.assertCounts
import dev.compass.sample.assertSays
import dev.compass.sample.desk
import dev.compass.sample.screen.opening.OpeningEvent
import dev.compass.sample.screen.opening.OpeningModel
import dev.compass.sample.screen.settings.DataQuestion
import dev.compass.sample.screen.settings.Replacement
import dev.compass.sample.screen.settings.SettingsModel
import dev.compass.sample.text.CountId
import dev.compass.sample.text.TextId
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class OpeningModelTest {
    private var refused: CompassException? = null

    private fun Desk.opening(code: String? = null): OpeningModel {
        refused = code?.let { CompassException(it) }
        return OpeningModel(database, vault, exports, preferences, scope) { refused?.let { throw it } }.also { settle() }
    }

    @Test
    fun `what opens is open, and what does not is tried again`() = desk {
        assertTrue(opening().state.value.open)
        val model = opening("locked")
        assertSays(TextId.FAILURE_LOCKED, model.state.value.failure)
        refused = null
        model.tap(OpeningEvent.Retried)
        assertTrue(model.state.value.open && model.state.value.failure == null)
        model.tap(OpeningEvent.StartOverTapped)
        assertNull(model.state.value.question, "a last tap on a screen that is gone")
    }

    @Test
    fun `only what is damaged is saved and replaced`() = desk {
        val offered = listOf("corrupt", "not_a_database", "io", "newer_schema", "cannot_open", "locked", "disk_full").associateWith {
            opening(it).state.value.run { canSave to canReplace }
        }
        for (code in listOf("corrupt", "not_a_database", "io")) assertEquals(true to true, offered[code], code)
        // An update of the app opens it; what waits can be had before.
        assertEquals(true to false, offered["newer_schema"])
        for (code in listOf("cannot_open", "locked", "disk_full")) assertEquals(false to false, offered[code], code)
        assertSays(TextId.FAILURE_DATA_DAMAGED, opening("not_a_database").state.value.failure)
    }

    @Test
    fun `what can be read is saved to be shared, with the number of messages and whether something is missing`() = desk {
        val model = opening("corrupt")
        model.tap(OpeningEvent.SaveTapped)
        val saved = model.state.value.saved!!
        assertEquals(listOf("salvage /exports/compass-saved.jsonl"), database.calls)
        assertEquals("/exports/compass-saved.jsonl", saved.path)
        assertCounts(CountId.SAVED_UNSENT, 2, saved.unsent)
        assertSays(TextId.SAVED_WITH_GAPS, saved.gaps)
        database.failure = CompassException("corrupt")
        model.tap(OpeningEvent.SaveTapped)
        assertSays(TextId.FAILURE_DAMAGED, model.state.value.notice?.text)
        assertFalse(model.state.value.working)
    }

    @Test
    fun `a backup is put back after it was asked for, with what would be lost, and the app goes on`() = desk {
        val model = opening("corrupt")
        database.failure = CompassException("undelivered")
        model.tap(OpeningEvent.BackupChosen("/exports/chosen"))
        assertEquals(DataQuestion.PutBack("/exports/chosen"), model.state.value.question)
        model.tap(OpeningEvent.Confirmed)
        assertSays(TextId.UNDELIVERED_UNKNOWN, (model.state.value.question as DataQuestion.Undelivered).lost)
        database.failure = null
        refused = null
        model.tap(OpeningEvent.DiscardReasonTyped("on paper"), OpeningEvent.Confirmed)
        assertEquals("put back /exports/chosen, Jo: on paper", database.calls.last())
        assertEquals(listOf("/exports/chosen"), exports.removed)
        assertTrue(model.state.value.open)
    }

    @Test
    fun `a question can be left, and a backup that is none is said to be so`() = desk {
        val model = opening("corrupt")
        model.tap(OpeningEvent.BackupChosen("/exports/chosen"), OpeningEvent.Dismissed)
        assertNull(model.state.value.question)
        database.failure = CompassException("not_a_database")
        model.tap(OpeningEvent.BackupChosen("/exports/other"), OpeningEvent.Confirmed)
        assertSays(TextId.FAILURE_NOT_OURS, model.state.value.notice?.text)
        assertEquals(listOf("/exports/chosen", "/exports/other"), exports.removed)
        assertFalse(model.state.value.open)
        model.tap(OpeningEvent.FileUnreadable)
        assertSays(TextId.FAILURE_UNREADABLE, model.state.value.notice?.text)
    }

    @Test
    fun `starting over asks twice, takes the secrets along, and leaves what was saved for the settings to share`() = desk(FakeState()) {
        vault.put("office-secret", "x")
        val model = opening("corrupt")
        model.tap(OpeningEvent.SaveTapped, OpeningEvent.StartOverTapped, OpeningEvent.Confirmed)
        assertEquals(DataQuestion.Erase(sure = true), model.state.value.question)
        refused = null
        model.tap(OpeningEvent.Confirmed)
        assertEquals("erase", database.calls.last())
        assertTrue(model.state.value.open && exports.cleared)
        assertEquals(emptyMap<String, String>(), vault.secrets)
        assertEquals(Replacement.SAVED, exports.kept)
        assertEquals("/exports/compass-saved.jsonl", SettingsModel(work, vault, exports, scope).also { settle() }.state.value.exported)
    }

    @Test
    fun `who gives messages up is asked where the settings have no name`() = desk {
        preferences.set(preferences.preferences.value.copy(actor = " "))
        val model = opening("corrupt")
        model.tap(OpeningEvent.StartOverTapped, OpeningEvent.Confirmed, OpeningEvent.Confirmed, OpeningEvent.DiscardReasonTyped("lost"), OpeningEvent.Confirmed)
        assertEquals("erase", database.calls.single())
        model.tap(OpeningEvent.DiscardActorTyped("Kim"), OpeningEvent.Confirmed)
        assertEquals("erase, Kim: lost", database.calls.last())
    }
}
