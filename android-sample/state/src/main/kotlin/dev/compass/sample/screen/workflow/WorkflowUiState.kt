package dev.compass.sample.screen.workflow

import dev.compass.core.model.ActionDefinition
import dev.compass.core.model.FieldDefinition
import dev.compass.sample.screen.Notice
import dev.compass.sample.text.Text

/**
 * A workflow: the outline of its sections, their fields and actions.
 *
 * @property adding the sheet that adds a "Send Message" action: its second and third tap.
 * @property removing the question whether an action shall go.
 * @property saving while a new revision is written.
 */
data class WorkflowUiState(
    val loading: Boolean = true,
    val name: String = "",
    val description: String? = null,
    val version: String = "",
    val startable: Boolean = false,
    val findings: List<Text> = emptyList(),
    val sections: List<SectionCard> = emptyList(),
    val adding: AddSheet? = null,
    val removing: RemoveQuestion? = null,
    val saving: Boolean = false,
    val notice: Notice? = null,
)

/** A section of the outline. */
data class SectionCard(
    val key: String,
    val name: String,
    val isStart: Boolean,
    val isEnd: Boolean,
    val win: Boolean,
    val fields: List<FieldDefinition>,
    val answers: List<AnswerLine>,
    val actions: List<ActionDefinition>,
)

/** An answer of the outline; [leadsTo] is the name of the next section, none while it is not linked. */
data class AnswerLine(val name: String, val leadsTo: String?)

/**
 * Adding an action: first tap "add" on a section, second tap an endpoint (chosen already when there is one), third tap "add".
 *
 * @property name what the record will call it; filled in, and can be changed.
 * @property noEndpoints there is none yet: leads to the settings.
 */
data class AddSheet(
    val section: String,
    val sectionName: String,
    val name: String,
    val endpoints: List<String>,
    val chosen: String?,
) {
    /** Whether the last tap can be made. */
    val canAdd: Boolean get() = chosen != null && name.isNotBlank()

    /** Whether there is nothing to choose from. */
    val noEndpoints: Boolean get() = endpoints.isEmpty()
}

/** Shall this action go? */
data class RemoveQuestion(val section: String, val action: String, val name: String)

/** What a technician does in a workflow. */
sealed interface WorkflowEvent {
    /** Start a session. */
    data object Started : WorkflowEvent

    /** First tap: add an action to this section. */
    data class AddOpened(val section: String) : WorkflowEvent

    /** Second tap: this endpoint. */
    data class EndpointChosen(val endpoint: String) : WorkflowEvent

    /** Another name for the action. */
    data class ActionNamed(val name: String) : WorkflowEvent

    /** Third tap: add. */
    data object AddConfirmed : WorkflowEvent

    /** Remove this action: asks first. */
    data class RemoveOpened(val section: String, val action: String) : WorkflowEvent

    /** Yes, remove it. */
    data object RemoveConfirmed : WorkflowEvent

    /** The sheet or the question was left. */
    data object Dismissed : WorkflowEvent

    /** Register an endpoint: to the settings. */
    data object SettingsOpened : WorkflowEvent

    /** Back to the list. */
    data object Left : WorkflowEvent

    /** The notice was shown. */
    data object NoticeShown : WorkflowEvent
}
