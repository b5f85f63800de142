package dev.compass.sample.screen

import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.model.Finding
import dev.compass.core.model.Severity
import dev.compass.core.testing.FakeState
import dev.compass.sample.Desk
import dev.compass.sample.assertCounts
import dev.compass.sample.assertSays
import dev.compass.sample.desk
import dev.compass.sample.port.TextSize
import dev.compass.sample.screen.settings.DataQuestion
import dev.compass.sample.screen.settings.EndpointForm
import dev.compass.sample.screen.settings.SettingsEvent
import dev.compass.sample.screen.settings.SettingsModel
import dev.compass.sample.text.CountId
import dev.compass.sample.text.TextId
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class SettingsModelTest {
    private fun Desk.settings() = SettingsModel(work, vault, exports, scope).also { settle() }

    @Test
    fun `the technician's name goes into records`() = desk {
        val model = settings()
        assertEquals("Jo", model.state.value.actor)
        model.tap(SettingsEvent.ActorTyped("Mia "))
        assertEquals("Mia ", model.state.value.actor, "what is typed is not taken back")
        assertEquals("Mia", work.actor)
        model.tap(SettingsEvent.ActorTyped(" "))
        assertNull(work.actor)
    }

    @Test
    fun `a secret goes into the vault and is never shown again`() = desk {
        val model = settings()
        model.tap(SettingsEvent.EndpointOpened("office"))
        assertFalse(model.state.value.editing!!.secretStored)
        model.tap(SettingsEvent.EndpointTyped(model.state.value.editing!!.copy(secret = "whsec_abc")), SettingsEvent.EndpointSaved)
        assertEquals(mapOf("office-secret" to "whsec_abc"), vault.secrets)
        assertEquals(listOf("putEndpoint office", "secretsChanged"), compass.asked)
        model.tap(SettingsEvent.EndpointOpened("office"))
        assertEquals("" to true, model.state.value.editing!!.run { secret to secretStored })
        assertFalse("whsec" in model.state.value.toString())
        assertFalse("whsec" in EndpointForm("k", "https://x.example", secret = "whsec_abc").toString())
        assertTrue(model.state.value.endpoints.single().secretStored)
    }

    @Test
    fun `an endpoint that cannot deliver says why`() = desk {
        val model = settings()
        assertSays(TextId.REASON_SECRET_MISSING, model.state.value.endpoints.single().problem)
        vault.put("office-secret", "x")
        model.tap(SettingsEvent.EndpointSwitched("office", false))
        assertSays(TextId.REASON_ENDPOINT_DISABLED, model.state.value.endpoints.single().problem)
        model.tap(SettingsEvent.EndpointSwitched("office", true))
        assertNull(model.state.value.endpoints.single().problem)
        compass.change { copy(endpoints = endpoints.map { it.copy(failingReason = "proxy") }) }
        settle()
        assertSays(TextId.REASON_PROXY, model.state.value.endpoints.single().problem)
        compass.change { copy(endpoints = endpoints.map { it.copy(enabled = false, disabledReason = "endpoint_corrupt") }) }
        settle()
        assertSays(TextId.REASON_ENDPOINT_CORRUPT, model.state.value.endpoints.single().problem)
    }

    @Test
    fun `a test message says what came of it`() = desk {
        val model = settings()
        model.tap(SettingsEvent.TestTapped("office"))
        assertSays(TextId.NOTICE_TEST_DELIVERED, model.state.value.notice?.text)
        assertNull(model.state.value.testing)
    }

    @Test
    fun `webhooks are switched on, and offline is simulated`() = desk {
        val model = settings()
        model.tap(SettingsEvent.IntegrationSwitched(false), SettingsEvent.OfflineSimulated(true))
        assertFalse(model.state.value.integrationEnabled)
        assertTrue(model.state.value.offlineSimulated)
    }

    @Test
    fun `text size and contrast are kept`() = desk {
        val model = settings()
        model.tap(
            SettingsEvent.TextSizeChosen(TextSize.LARGEST),
            SettingsEvent.HighContrastSwitched(true),
            SettingsEvent.KeepScreenOnSwitched(false),
        )
        assertEquals(Triple(TextSize.LARGEST, true, false), model.state.value.run { Triple(textSize, highContrast, keepScreenOn) })
        assertEquals("Jo", preferences.preferences.value.actor)
    }

    @Test
    fun `a file that is no workflow is refused with its findings`() = desk {
        val model = settings()
        val finding = Finding(Severity.ERROR, "not_json", "", "line 1")
        compass.refuseNext(CompassException(ErrorCode.INVALID_WORKFLOW, findings = listOf(finding)), of = "importWorkflow")
        model.tap(SettingsEvent.WorkflowChosen("x".toByteArray()))
        assertSays(TextId.FAILURE_BAD_FILE, model.state.value.notice?.text)
        assertSays(TextId.FINDING_OTHER, model.state.value.importFindings.single())
        assertFalse(model.state.value.working)
    }

    @Test
    fun `a secret that the key store does not take is said so, and the form stays`() = desk {
        vault.failure = CompassException("secret_unavailable")
        val model = settings()
        model.tap(SettingsEvent.EndpointOpened("office"))
        model.tap(SettingsEvent.EndpointTyped(model.state.value.editing!!.copy(secret = "whsec_abc")), SettingsEvent.EndpointSaved)
        assertTrue(model.state.value.notice!!.failed)
        assertEquals("whsec_abc", model.state.value.editing?.secret)
        assertFalse(model.state.value.working)
    }

    private fun SettingsModel.undelivered() = state.value.question as DataQuestion.Undelivered

    @Test
    fun `a backup is put back after a question, and the copy that was chosen goes`() = desk(FakeState()) {
        val model = settings()
        model.tap(SettingsEvent.BackupChosen("/exports/chosen"))
        assertEquals(DataQuestion.PutBack("/exports/chosen"), model.state.value.question)
        model.tap(SettingsEvent.Dismissed)
        assertNull(model.state.value.question)
        assertEquals(emptyList<String>() to listOf("/exports/chosen"), database.calls to exports.removed)
        model.tap(SettingsEvent.BackupChosen("/exports/other"), SettingsEvent.Confirmed)
        assertEquals(listOf("put back /exports/other"), database.calls)
        assertNull(model.state.value.question)
        assertSays(TextId.NOTICE_PUT_BACK, model.state.value.notice?.text)
        assertEquals("office", model.state.value.endpoints.single().key, "the settings go on with what is there now")
        assertEquals("/exports/other", exports.removed.last())
        assertFalse(exports.cleared || model.state.value.working)
    }

    @Test
    fun `messages that would be lost are counted, and given up by name and with a reason or not at all`() = desk {
        val model = settings()
        model.tap(SettingsEvent.BackupChosen("/exports/chosen"), SettingsEvent.Confirmed)
        assertCounts(CountId.UNDELIVERED, 2, model.undelivered().lost)
        assertEquals("Jo" to false, model.undelivered().run { actor to asksActor })
        model.tap(SettingsEvent.DiscardReasonTyped(" "), SettingsEvent.Confirmed)
        assertEquals(listOf("put back /exports/chosen"), database.calls)
        assertEquals(emptyList<String>(), exports.removed, "the copy is still needed")
        model.tap(SettingsEvent.DiscardReasonTyped("on paper "), SettingsEvent.Confirmed)
        assertEquals("put back /exports/chosen, Jo: on paper", database.calls.last())
        assertSays(TextId.NOTICE_PUT_BACK, model.state.value.notice?.text)
        assertEquals(listOf("/exports/chosen"), exports.removed)
    }

    @Test
    fun `everything is erased after two questions, with the secrets, the files and the name`() = desk {
        compass.change { copy(outbox = emptyList()) }
        vault.put("office-secret", "x")
        val model = settings()
        model.tap(SettingsEvent.BackupExported, SettingsEvent.EraseTapped, SettingsEvent.Confirmed)
        assertEquals(DataQuestion.Erase(sure = true), model.state.value.question)
        assertEquals(listOf("backup /exports/compass-backup.db"), compass.asked)
        model.tap(SettingsEvent.Confirmed)
        assertEquals("erase", database.calls.last())
        assertSays(TextId.NOTICE_ERASED, model.state.value.notice?.text)
        assertEquals(emptyMap<String, String>(), vault.secrets)
        assertTrue(exports.cleared)
        assertEquals("" to null, model.state.value.run { actor to exported })
        assertNull(work.actor)
        assertEquals(emptyList<Any>(), model.state.value.endpoints)
    }

    @Test
    fun `erasing asks for a name where the settings have none, and can be left at every question`() = desk {
        vault.put("office-secret", "x")
        val model = settings()
        model.tap(SettingsEvent.ActorTyped(""), SettingsEvent.EraseTapped, SettingsEvent.Dismissed, SettingsEvent.Confirmed)
        assertEquals(emptyList<String>(), database.calls)
        model.tap(SettingsEvent.EraseTapped, SettingsEvent.Confirmed, SettingsEvent.Confirmed)
        assertTrue(model.undelivered().asksActor)
        model.tap(SettingsEvent.DiscardReasonTyped("sold"))
        assertFalse(model.undelivered().canDiscard)
        model.tap(SettingsEvent.Dismissed)
        assertEquals(mapOf("office-secret" to "x"), vault.secrets)
        assertFalse(exports.cleared)
        model.tap(SettingsEvent.EraseTapped, SettingsEvent.Confirmed, SettingsEvent.Confirmed)
        model.tap(SettingsEvent.DiscardReasonTyped("sold"), SettingsEvent.DiscardActorTyped("Mia"), SettingsEvent.Confirmed)
        assertEquals("erase, Mia: sold", database.calls.last())
        assertTrue(exports.cleared)
    }

    @Test
    fun `a phone whose file is damaged cannot tell how many messages would be lost`() = desk {
        val model = settings()
        database.failure = CompassException(ErrorCode.UNDELIVERED)
        model.tap(SettingsEvent.BackupChosen("/exports/chosen"), SettingsEvent.Confirmed)
        assertSays(TextId.UNDELIVERED_UNKNOWN, model.undelivered().lost)
    }

    @Test
    fun `a backup that is none is refused in words, and nothing is asked any more`() = desk {
        val model = settings()
        database.failure = CompassException(ErrorCode.NOT_A_DATABASE)
        model.tap(SettingsEvent.BackupChosen("/exports/chosen"), SettingsEvent.Confirmed)
        assertNull(model.state.value.question)
        assertSays(TextId.FAILURE_NOT_OURS, model.state.value.notice?.text)
        assertEquals(listOf("/exports/chosen"), exports.removed)
        model.tap(SettingsEvent.FileUnreadable)
        assertSays(TextId.FAILURE_UNREADABLE, model.state.value.notice?.text)
    }

    @Test
    fun `diagnostics and a backup are written to share them`() = desk {
        val model = settings()
        model.tap(SettingsEvent.DiagnosticsExported)
        assertEquals("/exports/diagnostics.txt", model.state.value.exported)
        model.tap(SettingsEvent.NoticeShown)
        assertNull(model.state.value.notice)
        assertEquals("/exports/diagnostics.txt", model.state.value.exported, "the words about it go, the file stays to be shared")
        model.tap(SettingsEvent.BackupExported)
        assertEquals(listOf("backup /exports/compass-backup.db"), compass.asked)
        assertEquals("/exports/compass-backup.db", model.state.value.exported)
    }
}
