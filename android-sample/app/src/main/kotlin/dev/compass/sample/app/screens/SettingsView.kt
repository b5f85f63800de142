package dev.compass.sample.app.screens

import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Bound
import dev.compass.sample.app.kit.Line
import dev.compass.sample.app.kit.Marks
import dev.compass.sample.app.kit.Page
import dev.compass.sample.app.kit.Rows
import dev.compass.sample.app.kit.TextLines
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.bound
import dev.compass.sample.app.kit.mark
import dev.compass.sample.app.kit.read
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.field.Keyboard
import dev.compass.sample.port.TextSize
import dev.compass.sample.screen.settings.EndpointForm
import dev.compass.sample.screen.settings.EndpointRow
import dev.compass.sample.screen.settings.SettingsEvent
import dev.compass.sample.screen.settings.SettingsUiState

/** Who works with this phone, where messages go, how the app looks, and what support asks for. */
class SettingsView(around: Surroundings, send: (SettingsEvent) -> Unit) : RootView<SettingsUiState, SettingsEvent>(around, Tab.SETTINGS, send) {
    private val actor = Line(kit, string(R.string.settings_actor), typed = { send(SettingsEvent.ActorTyped(it)) })
    private val import = kit.secondary(string(R.string.settings_import), R.drawable.ic_add) { around.phone.chooseWorkflow() }
    private val findings = TextLines(kit)
    private val enabled = Marks.switch(kit, string(R.string.settings_integration)) { send(SettingsEvent.IntegrationSwitched(it)) }
    private val endpoints = Rows<EndpointRow>(kit, key = { it.key }, make = ::endpoint)
    private val sizes = TextSize.entries.associateWith { size ->
        Marks.radio(kit) { send(SettingsEvent.TextSizeChosen(size)) }.apply { text = string(size.label) }
    }
    private val contrast = Marks.switch(kit, string(R.string.settings_contrast)) { send(SettingsEvent.HighContrastSwitched(it)) }
    private val awake = Marks.switch(kit, string(R.string.settings_awake)) { send(SettingsEvent.KeepScreenOnSwitched(it)) }
    private val offline = Marks.switch(kit, string(R.string.settings_offline)) { send(SettingsEvent.OfflineSimulated(it)) }
    private val diagnostics = kit.secondary(string(R.string.settings_diagnostics), R.drawable.ic_outbox) { send(SettingsEvent.DiagnosticsExported) }
    private val backup = kit.secondary(string(R.string.settings_backup), R.drawable.ic_outbox) { send(SettingsEvent.BackupExported) }
    private val share = kit.secondary(string(R.string.settings_share), R.drawable.ic_send) { exported?.let(around.phone::share) }
    private val putBack = kit.secondary(string(R.string.settings_put_back), R.drawable.ic_back) { around.phone.chooseBackup() }
    private val erase = kit.danger(string(R.string.settings_erase)) { send(SettingsEvent.EraseTapped) }
    private val form = FormPage()
    private val answers = DataAnswers(
        confirm = { send(SettingsEvent.Confirmed) },
        leave = { send(SettingsEvent.Dismissed) },
        reason = { send(SettingsEvent.DiscardReasonTyped(it)) },
        actor = { send(SettingsEvent.DiscardActorTyped(it)) },
    )
    private val questions = DataSheets(kit, words, ::sheet, opens = true, answers)
    private var exported: String? = null
    private var testing: String? = null

    init {
        actor.keyboard(Keyboard.TEXT)
        part(R.string.settings_actor, actor)
        part(R.string.settings_workflows, import, findings.view)
        part(
            R.string.settings_webhooks,
            enabled,
            endpoints.view,
            kit.secondary(string(R.string.endpoint_add), R.drawable.ic_add) { send(SettingsEvent.EndpointAdded) },
            offline,
        )
        part(R.string.settings_look, *sizes.values.toTypedArray(), contrast, awake)
        part(R.string.settings_support, backup, putBack, diagnostics, share, erase)
    }

    override fun bind(state: SettingsUiState) {
        actor.bind(state.actor)
        findings.bind(state.importFindings.map(words::of))
        enabled.mark(state.integrationEnabled)
        testing = state.testing
        endpoints.bind(state.endpoints)
        for ((size, row) in sizes) row.mark(size == state.textSize)
        contrast.mark(state.highContrast)
        awake.mark(state.keepScreenOn)
        offline.mark(state.offlineSimulated)
        exported = state.exported
        share.visible(exported != null)
        for (button in listOf(import, diagnostics, backup, putBack, erase)) button.isEnabled = !state.working
        over(questions.bind(state.question, state.working) ?: state.editing?.let { form.bind(it, state.working) })
        notice(state.notice) { send(SettingsEvent.NoticeShown) }
    }

    private fun part(head: Int, vararg parts: android.view.View) {
        val card = kit.card(12)
        card.below(kit.heading(string(head)))
        for (it in parts) card.below(it)
        page.content.below(card)
    }

    private fun endpoint(first: EndpointRow): Bound<EndpointRow> {
        val column = kit.column(8)
        column.setPadding(kit.dp(12), kit.dp(8), kit.dp(12), kit.dp(12))
        column.background = kit.shape(kit.palette.card, kit.palette.line)
        val on = column.below(Marks.switch(kit, first.key) { send(SettingsEvent.EndpointSwitched(first.key, it)) })
        val origin = column.below(kit.quiet())
        val secret = column.below(kit.body())
        val problem = column.below(kit.badge())
        val test = column.below(kit.secondary(icon = R.drawable.ic_send) { send(SettingsEvent.TestTapped(first.key)) })
        val change = kit.secondary(string(R.string.endpoint_change), R.drawable.ic_pen) { send(SettingsEvent.EndpointOpened(first.key)) }
        column.below(change)
        change.contentDescription = "${change.text}: ${first.key}"
        return bound(column) {
            on.mark(it.enabled)
            origin.say(it.origin)
            secret.say(
                string(
                    when {
                        !it.signed -> R.string.endpoint_unsigned
                        it.secretStored -> R.string.endpoint_secret_stored
                        else -> R.string.endpoint_secret_missing
                    },
                ),
            )
            problem.bind(R.drawable.ic_attention, words.orNull(it.problem), Tone.BAD)
            test.isEnabled = testing == null
            test.read(string(if (testing == it.key) R.string.endpoint_testing else R.string.endpoint_test))
            test.contentDescription = "${test.text}: ${it.key}"
        }
    }

    private inner class FormPage {
        private val page = sheet(string(R.string.endpoint_title)) { send(SettingsEvent.Dismissed) }
        private var form = EndpointForm()
        private val key = line(R.string.endpoint_key) { form.copy(key = it) }
        private val url = line(R.string.endpoint_url) { form.copy(url = it) }
        private val signed = Marks.switch(kit, string(R.string.endpoint_signed)) { send(SettingsEvent.EndpointTyped(form.copy(signed = it))) }
        private val secret = line(R.string.endpoint_secret) { form.copy(secret = it) }
        private val asksSecret = kit.asked(string(R.string.endpoint_secret), secret)
        private val stored = kit.quiet()
        private val wifi = Marks.switch(kit, string(R.string.endpoint_wifi)) { send(SettingsEvent.EndpointTyped(form.copy(wifiOnly = it))) }
        private val save = kit.primary(string(R.string.endpoint_save)) { send(SettingsEvent.EndpointSaved) }

        init {
            key.keyboard(Keyboard.URL)
            url.keyboard(Keyboard.URL)
            secret.isSingleLine = true
            secret.secret()
            asksSecret.below(stored)
            val names = listOf(kit.asked(string(R.string.endpoint_key), key), kit.asked(string(R.string.endpoint_url), url))
            for (part in names + listOf(signed, asksSecret, wifi)) page.content.below(part)
            page.foot.below(save)
        }

        fun bind(now: EndpointForm, working: Boolean): Page {
            form = now
            key.bind(now.key)
            key.isEnabled = now.isNew
            url.bind(now.url)
            signed.mark(now.signed)
            asksSecret.visible(now.signed)
            secret.bind(now.secret)
            stored.say(string(if (now.secretStored) R.string.endpoint_secret_kept else R.string.endpoint_secret_hint))
            wifi.mark(now.wifiOnly)
            save.isEnabled = now.canSave && !working
            return page
        }

        private fun line(label: Int, changed: (String) -> EndpointForm) =
            Line(kit, string(label), typed = { send(SettingsEvent.EndpointTyped(changed(it))) })
    }

    private val TextSize.label: Int
        get() = when (this) {
            TextSize.NORMAL -> R.string.size_normal
            TextSize.LARGE -> R.string.size_large
            TextSize.LARGEST -> R.string.size_largest
        }
}
