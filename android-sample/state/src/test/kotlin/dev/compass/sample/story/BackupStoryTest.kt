package dev.compass.sample.story

import dev.compass.core.complete
import dev.compass.core.model.Change
import dev.compass.core.model.Command
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldValue
import dev.compass.core.start
import dev.compass.sample.Shown
import dev.compass.sample.assertCounts
import dev.compass.sample.assertSays
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.settings.DataQuestion
import dev.compass.sample.screen.settings.EndpointForm
import dev.compass.sample.screen.settings.SettingsEvent
import dev.compass.sample.screen.settings.SettingsModel
import dev.compass.sample.screen.status.StatusIcon
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import java.nio.file.Files
import java.nio.file.Path
import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Another database takes the place of the phone's, with the real core; the screens that are open go on with it. */
class BackupStoryTest {
    @TempDir
    lateinit var folder: Path

    private val office = Office()
    private val copy get() = folder.resolve("copy.db").toString()

    private suspend fun Phone.ready(): SettingsModel {
        val settings = (app.show(Screen.Settings, scope) as Shown.Settings).model
        settings.until { !it.loading }
        settings.onEvent(SettingsEvent.WorkflowChosen(PUMP_CHECK.toByteArray()))
        settings.onEvent(SettingsEvent.EndpointAdded)
        settings.onEvent(SettingsEvent.EndpointTyped(EndpointForm("office", "https://office.test/hooks", secret = Phone.SECRET)))
        settings.onEvent(SettingsEvent.EndpointSaved)
        settings.onEvent(SettingsEvent.IntegrationSwitched(true))
        settings.until { it.endpoints.size == 1 && it.integrationEnabled && it.editing == null }
        return settings
    }

    private suspend fun Phone.completed() {
        val started = compass.start("pump-check", actor = "Jo").view
        val site = FieldChange("site", Change.Set(FieldValue.Text("Mill Lane")))
        val atTheEnd = compass.run(started.key, listOf(Command.SetFields(listOf(site)), Command.Answer(started.visit, "on")), "Jo").view
        compass.complete(atTheEnd, "Jo")
    }

    private suspend fun Phone.sessions() = compass.sessions().sessions

    @Test
    fun `a backup is put back, what was sent since leaves once more, and what was not is asked for first`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        val settings = phone.ready()
        val strip = phone.app.status(phone.scope)
        phone.completed()
        phone.compass.backup(copy)
        phone.network(there = true)
        assertEquals(1, phone.sendNow().sent)
        phone.network(there = false)
        phone.completed()
        strip.until { it.icon == StatusIcon.NO_SIGNAL && it.text == count(CountId.STATUS_NO_SIGNAL_WAITING, 1) }

        settings.onEvent(SettingsEvent.BackupChosen(copy))
        settings.until { it.question is DataQuestion.PutBack }
        settings.onEvent(SettingsEvent.Confirmed)
        val asked = settings.until { it.question is DataQuestion.Undelivered }.question as DataQuestion.Undelivered
        assertCounts(CountId.UNDELIVERED, 1, asked.lost)
        assertEquals(2, phone.sessions().size, "nothing has changed")
        settings.onEvent(SettingsEvent.DiscardReasonTyped("The office has it on paper"))
        settings.onEvent(SettingsEvent.Confirmed)
        assertSays(TextId.NOTICE_PUT_BACK, settings.until { it.question == null && !it.working }.notice?.text)

        assertEquals(1, phone.sessions().size)
        // The strip was open all the time; the network is known still.
        strip.until { it.icon == StatusIcon.NO_SIGNAL && it.text == count(CountId.STATUS_NO_SIGNAL_WAITING, 1) }
        phone.network(there = true)
        assertEquals(1, phone.sendNow().sent)
        strip.until { it.icon == StatusIcon.ALL_SENT }
        assertEquals(2, office.received.size)
        assertEquals(1, office.received.toSet().size)
        phone.shutDown()
    }

    @Test
    fun `a file that is no backup changes nothing`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        val settings = phone.ready()
        phone.completed()
        Files.writeString(Path.of(copy), "Once upon a time there was a pump. ".repeat(200))
        settings.onEvent(SettingsEvent.BackupChosen(copy))
        settings.onEvent(SettingsEvent.Confirmed)
        assertSays(TextId.FAILURE_NOT_OURS, settings.until { it.notice?.failed == true && !it.working }.notice?.text)
        assertNull(settings.state.value.question)
        assertEquals(1, phone.sessions().size)
        phone.shutDown()
    }

    @Test
    fun `everything is erased, and the phone begins again`() = story {
        val phone = Phone.switchOn(folder.resolve("compass.db"), office, this)
        val settings = phone.ready()
        val strip = phone.app.status(phone.scope)
        phone.network(there = false)
        phone.completed()
        phone.completed()
        settings.onEvent(SettingsEvent.EraseTapped)
        repeat(2) { settings.onEvent(SettingsEvent.Confirmed) }
        val asked = settings.until { it.question is DataQuestion.Undelivered }.question as DataQuestion.Undelivered
        assertCounts(CountId.UNDELIVERED, 2, asked.lost)
        settings.onEvent(SettingsEvent.DiscardReasonTyped("The phone is returned"))
        settings.onEvent(SettingsEvent.Confirmed)
        assertSays(TextId.NOTICE_ERASED, settings.until { it.question == null && !it.working }.notice?.text)
        settings.until { it.endpoints.isEmpty() && !it.integrationEnabled }
        assertEquals(emptyList<Any>(), phone.sessions())
        assertEquals(emptyMap<String, String>(), phone.vault.secrets)
        strip.until { it.text != count(CountId.STATUS_NO_SIGNAL_WAITING, 2) }
        // As on the first day.
        phone.ready()
        phone.completed()
        phone.network(there = true)
        assertEquals(1, phone.sendNow().sent)
        phone.shutDown()
    }

    private fun count(id: CountId, count: Int) = Text.Count(id, count)

    private companion object {
        const val PUMP_CHECK = """{
          "format": 1, "key": "pump-check", "version": 1, "name": "Pump check", "start": "arrive",
          "fields": [ { "key": "site", "name": "Site", "type": "text", "required": true } ],
          "sections": [
            { "key": "arrive", "name": "Arrive", "content": "Find the pump.", "fields": ["site"],
              "answers": [ { "key": "on", "name": "Go on", "next": "done" } ] },
            { "key": "done", "name": "Done", "content": "Good bye.", "win": true, "actions": [
              { "key": "report", "name": "Report", "integration": "webhooks", "kind": "send_message", "endpoint": "office" } ] }
          ]
        }"""
    }
}
