package dev.compass.sample.screen.settings

import dev.compass.core.DiscardUndelivered
import dev.compass.sample.port.TextSize
import dev.compass.sample.screen.Notice
import dev.compass.sample.text.Text

/**
 * The settings.
 *
 * @property actor the technician's name.
 * @property editing the endpoint being registered or changed.
 * @property testing key of the endpoint that a test message is on its way to.
 * @property exported path of the file that was written last, to share.
 * @property question what is asked before what is on the phone is replaced or erased.
 */
data class SettingsUiState(
    val loading: Boolean = true,
    val actor: String = "",
    val integrationEnabled: Boolean = false,
    val endpoints: List<EndpointRow> = emptyList(),
    val editing: EndpointForm? = null,
    val testing: String? = null,
    val offlineSimulated: Boolean = false,
    val textSize: TextSize = TextSize.NORMAL,
    val highContrast: Boolean = false,
    val keepScreenOn: Boolean = true,
    val working: Boolean = false,
    val exported: String? = null,
    val question: DataQuestion? = null,
    val importFindings: List<Text> = emptyList(),
    val notice: Notice? = null,
)

/** An endpoint. [origin] is its address without the path; [problem] says why nothing leaves for it. */
data class EndpointRow(
    val key: String,
    val origin: String,
    val enabled: Boolean,
    val signed: Boolean,
    val secretStored: Boolean,
    val waiting: Int,
    val problem: Text?,
)

/**
 * An endpoint being registered or changed.
 *
 * @property isNew whether its name can be chosen.
 * @property secret what was typed now; never what is stored. [secretStored] says that there is one.
 */
data class EndpointForm(
    val key: String = "",
    val url: String = "",
    val signed: Boolean = true,
    val secret: String = "",
    val secretStored: Boolean = false,
    val wifiOnly: Boolean = false,
    val isNew: Boolean = true,
) {
    /** Whether it can be saved. */
    val canSave: Boolean get() = key.isNotBlank() && url.isNotBlank()

    /** Without the secret. */
    override fun toString(): String = "EndpointForm($key)"
}

/** What is asked before what is on the phone is replaced or erased. */
sealed interface DataQuestion {
    /** With what was typed into it. */
    fun typed(reason: String? = null, actor: String? = null): DataQuestion =
        if (this is Undelivered) copy(reason = reason ?: this.reason, actor = actor ?: this.actor) else this

    /** Whether a backup, which lies at the path [copy], takes the place of what is on the phone. */
    data class PutBack(val copy: String) : DataQuestion

    /** Whether everything is erased; asked once more to be [sure]. */
    data class Erase(val sure: Boolean = false) : DataQuestion

    /**
     * Whether messages are given up, which needs a reason and a name, so that [change] can be done.
     *
     * @property lost how many messages, in words.
     * @property asksActor whether the name is asked here, because the settings have none.
     */
    data class Undelivered(
        val change: DataQuestion,
        val lost: Text,
        val reason: String,
        val actor: String,
        val asksActor: Boolean,
    ) : DataQuestion {
        /** Whether they can be given up. */
        val canDiscard: Boolean get() = reason.isNotBlank() && actor.isNotBlank()

        /** That they are. */
        val discard: DiscardUndelivered get() = DiscardUndelivered(actor.trim(), reason.trim())
    }
}

/** What a technician does in the settings. */
sealed interface SettingsEvent {
    /** Every change of the technician's name. */
    data class ActorTyped(val name: String) : SettingsEvent

    /** A workflow file was chosen; its bytes. */
    class WorkflowChosen(val document: ByteArray) : SettingsEvent

    /** The file that was chosen could not be read. */
    data object FileUnreadable : SettingsEvent

    /** Webhooks on or off. */
    data class IntegrationSwitched(val on: Boolean) : SettingsEvent

    /** Register an endpoint. */
    data object EndpointAdded : SettingsEvent

    /** Change an endpoint. */
    data class EndpointOpened(val key: String) : SettingsEvent

    /** Every change of the form. */
    data class EndpointTyped(val form: EndpointForm) : SettingsEvent

    /** Keep the endpoint, and its secret if one was typed. */
    data object EndpointSaved : SettingsEvent

    /** Endpoint on or off. */
    data class EndpointSwitched(val key: String, val on: Boolean) : SettingsEvent

    /** Send a test message. */
    data class TestTapped(val key: String) : SettingsEvent

    /** Play that there is no signal. */
    data class OfflineSimulated(val on: Boolean) : SettingsEvent

    /** Size of the text. */
    data class TextSizeChosen(val size: TextSize) : SettingsEvent

    /** The theme of high contrast. */
    data class HighContrastSwitched(val on: Boolean) : SettingsEvent

    /** Whether the screen stays on in a session. */
    data class KeepScreenOnSwitched(val on: Boolean) : SettingsEvent

    /** Write diagnostics to a file. */
    data object DiagnosticsExported : SettingsEvent

    /** Write a copy of the database to a file. */
    data object BackupExported : SettingsEvent

    /** A backup was chosen; the path of a copy of it that is the app's own. */
    data class BackupChosen(val copy: String) : SettingsEvent

    /** Erase everything; asks first. */
    data object EraseTapped : SettingsEvent

    /** Every change of the reason why messages are given up. */
    data class DiscardReasonTyped(val reason: String) : SettingsEvent

    /** Every change of the name of who gives them up. */
    data class DiscardActorTyped(val actor: String) : SettingsEvent

    /** Yes to the question. */
    data object Confirmed : SettingsEvent

    /** The form or the question was left. */
    data object Dismissed : SettingsEvent

    /** The notice was shown. */
    data object NoticeShown : SettingsEvent
}
