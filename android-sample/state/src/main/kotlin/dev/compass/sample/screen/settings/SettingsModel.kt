package dev.compass.sample.screen.settings

import dev.compass.core.CompassException
import dev.compass.core.model.Endpoint
import dev.compass.core.model.EndpointStatus
import dev.compass.core.model.NetworkPolicy
import dev.compass.core.model.Signing
import dev.compass.sample.core.diagnostics
import dev.compass.sample.core.words
import dev.compass.sample.port.ExportFolder
import dev.compass.sample.port.Preferences
import dev.compass.sample.port.SecretVault
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.reasonWords
import dev.compass.sample.text.text
import dev.compass.sample.text.words
import java.net.URI
import java.net.URISyntaxException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.combine

/** The settings. */
class SettingsModel(
    private val work: Workplace,
    private val vault: SecretVault,
    private val exports: ExportFolder,
    scope: CoroutineScope,
) : StateModel<SettingsUiState, SettingsEvent>(SettingsUiState(), scope) {
    private val compass = work.compass
    private var endpoints: List<EndpointStatus> = emptyList()
    private val replacement = Replacement(work.database, exports, { work.actor }, ::erased)

    init {
        // The name is typed here: it is not taken back while it is.
        show { copy(actor = work.preferences.preferences.value.actor) }
        // What was saved of a database that did not open is still to be shared.
        inTurn { exports.find(Replacement.SAVED)?.let { show { copy(exported = it) } } }
        follow(work.preferences.preferences) {
            show { copy(textSize = it.textSize, highContrast = it.highContrast, keepScreenOn = it.keepScreenOn) }
        }
        follow(work.network.simulated) { show { copy(offlineSimulated = it) } }
        follow(combine(compass.observeIntegration(), compass.observeEndpoints(), ::Pair)) { (on, all) ->
            endpoints = all.filter { it.archivedAt == null }
            val rows = endpoints.map { it.row() }
            show { copy(loading = false, integrationEnabled = on, endpoints = rows) }
        }
    }

    override fun SettingsUiState.saying(notice: Notice?) = copy(notice = notice)

    override suspend fun take(event: SettingsEvent) {
        when (event) {
            is SettingsEvent.ActorTyped -> {
                show { copy(actor = event.name) }
                prefer { copy(actor = event.name.trim()) }
            }
            is SettingsEvent.WorkflowChosen -> import(event.document)
            SettingsEvent.FileUnreadable -> say(Notice(text(TextId.FAILURE_UNREADABLE), failed = true))
            is SettingsEvent.IntegrationSwitched -> compass.setIntegrationEnabled(event.on)
            SettingsEvent.EndpointAdded -> show { copy(editing = EndpointForm()) }
            is SettingsEvent.EndpointOpened -> openEndpoint(event.key)
            is SettingsEvent.EndpointTyped -> show { copy(editing = editing?.let { event.form }) }
            SettingsEvent.EndpointSaved -> saveEndpoint()
            is SettingsEvent.EndpointSwitched -> compass.setEndpointEnabled(event.key, event.on)
            is SettingsEvent.TestTapped -> test(event.key)
            is SettingsEvent.OfflineSimulated -> compass.setConnectivity(work.network.play(event.on))
            is SettingsEvent.TextSizeChosen -> prefer { copy(textSize = event.size) }
            is SettingsEvent.HighContrastSwitched -> prefer { copy(highContrast = event.on) }
            is SettingsEvent.KeepScreenOnSwitched -> prefer { copy(keepScreenOn = event.on) }
            SettingsEvent.DiagnosticsExported -> export {
                exports.write("diagnostics.txt", compass.diagnostics(work.network.connectivity.value))
            }
            SettingsEvent.BackupExported -> export { exports.path("compass-backup.db").also { compass.backup(it) } }
            is SettingsEvent.BackupChosen -> show { copy(question = DataQuestion.PutBack(event.copy)) }
            SettingsEvent.EraseTapped -> show { copy(question = DataQuestion.Erase()) }
            is SettingsEvent.DiscardReasonTyped -> show { copy(question = question?.typed(reason = event.reason)) }
            is SettingsEvent.DiscardActorTyped -> show { copy(question = question?.typed(actor = event.actor)) }
            SettingsEvent.Confirmed -> confirm()
            SettingsEvent.Dismissed -> {
                replacement.forget(now.question)
                show { copy(editing = null, importFindings = emptyList(), question = null) }
            }
            SettingsEvent.NoticeShown -> say(null)
        }
    }

    private suspend fun prefer(change: Preferences.() -> Preferences) = work.preferences.set(work.preferences.preferences.value.change())

    private suspend fun import(document: ByteArray) = working {
        try {
            val (isNew, summary) = compass.importWorkflow(document)
            val findings = compass.words(summary.findings, summary.workflow)
            show { copy(importFindings = findings) }
            say(Notice(text(if (isNew) TextId.NOTICE_IMPORTED else TextId.NOTICE_IMPORTED_ALREADY, Text.Plain(summary.workflow.name))))
        } catch (failure: CompassException) {
            show { copy(importFindings = failure.findings.map { it.words(null) }) }
            throw failure
        }
    }

    private suspend fun openEndpoint(key: String) {
        val endpoint = endpoint(key) ?: return
        val stored = endpoint.secret?.let { vault.has(it) } ?: false
        show {
            copy(
                editing = EndpointForm(
                    key,
                    endpoint.url,
                    signed = endpoint.secret != null,
                    secretStored = stored,
                    wifiOnly = endpoint.network == NetworkPolicy.UNMETERED,
                    isNew = false,
                ),
            )
        }
    }

    private suspend fun saveEndpoint() {
        val form = now.editing ?: return
        if (!form.canSave) return
        working {
            val key = form.key.trim()
            val before = endpoint(key)
            val secret = if (form.signed) before?.secret ?: "$key-secret" else null
            val signing = secret?.let { Signing.StandardWebhooks(it) } ?: Signing.None
            val network = if (form.wifiOnly) NetworkPolicy.UNMETERED else NetworkPolicy.ANY
            // With the headers it has already, which the app does not show.
            compass.putEndpoint(Endpoint(key, form.url.trim(), signing, before?.headers.orEmpty(), network))
            if (secret != null && form.secret.isNotBlank()) {
                vault.put(secret, form.secret.trim())
                compass.secretsChanged()
            }
            val rows = endpoints.map { it.row() }
            show { copy(editing = null, endpoints = rows) }
            say(Notice(text(TextId.NOTICE_ENDPOINT_SAVED)))
        }
    }

    private fun test(key: String) {
        if (now.testing != null) return
        show { copy(testing = key) }
        background {
            try {
                val result = compass.testDelivery(key)
                val status = result.status
                val notice = if (result.delivered && status != null) {
                    Notice(text(TextId.NOTICE_TEST_DELIVERED, Text.Plain("$status")))
                } else {
                    Notice(text(TextId.NOTICE_TEST_REFUSED, reasonWords(result.outcome)), failed = true)
                }
                say(notice)
            } finally {
                show { copy(testing = null) }
            }
        }
    }

    private suspend fun export(write: suspend () -> String) = working {
        val path = write()
        show { copy(exported = path) }
        say(Notice(text(TextId.NOTICE_EXPORTED, Text.Plain(path.substringAfterLast('/')))))
    }

    // Another database -----------------------------------------------------------------------------------------------------------------

    private suspend fun confirm() {
        val question = now.question ?: return
        working { replacement.confirm(question) { show { copy(question = it) } }?.let { say(it) } }
    }

    private suspend fun erased() {
        vault.removeAll()
        exports.clear()
        prefer { copy(actor = "") }
        show { copy(actor = "", exported = null, importFindings = emptyList()) }
    }

    private suspend fun working(work: suspend () -> Unit) {
        show { copy(working = true) }
        try {
            work()
        } finally {
            show { copy(working = false) }
        }
    }

    private fun endpoint(key: String): Endpoint? = endpoints.firstOrNull { it.endpoint.key == key }?.endpoint

    private suspend fun EndpointStatus.row(): EndpointRow {
        val secret = endpoint.secret
        val stored = secret?.let { vault.has(it) } ?: false
        return EndpointRow(
            endpoint.key,
            origin(endpoint.url),
            enabled,
            signed = secret != null,
            secretStored = stored,
            waiting = pending.toInt(),
            problem = when {
                !enabled -> reasonWords(disabledReason?.takeIf { it in TELLING } ?: "endpoint_disabled")
                secret != null && !stored -> reasonWords("secret_missing")
                else -> failingReason?.let(::reasonWords)
            },
        )
    }
}

private val Endpoint.secret: String? get() = (signing as? Signing.StandardWebhooks)?.secret

/** Of the reasons why an endpoint is off, those that say more than that it is. */
private val TELLING = setOf("gone", "endpoint_corrupt")

/** An address without its path, which may hold a secret. */
internal fun origin(url: String): String = try {
    URI(url).let { "${it.scheme}://${it.authority}" }
} catch (_: URISyntaxException) {
    ""
}
