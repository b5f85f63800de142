package dev.compass.sample.screen.review

import dev.compass.core.model.ActionPreview
import dev.compass.sample.screen.Notice
import dev.compass.sample.text.Text

/**
 * Review and complete. First that everything is saved, then what will be sent and to whom; for webhooks there is nothing to confirm.
 *
 * @property win whether completing here is a win.
 * @property fields what was answered, by name; "not provided" where nothing was.
 * @property messages what will be sent when there is signal.
 * @property integrationOff webhooks are off: nothing will be sent.
 * @property missing what keeps it from being completed; each leads back to its section.
 */
data class ReviewUiState(
    val loading: Boolean = true,
    val workflowName: String = "",
    val sectionName: String = "",
    val win: Boolean = false,
    val fields: List<ReviewField> = emptyList(),
    val messages: List<ActionPreview> = emptyList(),
    val willSend: Text? = null,
    val integrationOff: Boolean = false,
    val missing: List<MissingField> = emptyList(),
    val canComplete: Boolean = false,
    val completing: Boolean = false,
    val notice: Notice? = null,
)

/** A field with what it holds. */
data class ReviewField(val name: String, val value: Text, val provided: Boolean)

/** A field that is missing. */
data class MissingField(val field: String, val name: String, val problem: Text, val visit: Int?)

/** What a technician does in the review. */
sealed interface ReviewEvent {
    /** Complete. */
    data object Completed : ReviewEvent

    /** Back to where the field is. */
    data class MissingOpened(val field: String) : ReviewEvent

    /** Back to the session. */
    data object Left : ReviewEvent

    /** The notice was shown. */
    data object NoticeShown : ReviewEvent
}
