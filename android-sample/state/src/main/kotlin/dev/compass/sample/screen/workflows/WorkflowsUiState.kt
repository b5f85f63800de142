package dev.compass.sample.screen.workflows

import dev.compass.sample.screen.Notice
import dev.compass.sample.text.Text

/**
 * The list of workflows.
 *
 * @property loading before the first list is there.
 * @property resume the session to go on with, first on the screen; the newest one in progress.
 * @property moreInProgress "2 more sessions in progress": opens the list of sessions.
 * @property starting key of the workflow whose session is being started.
 */
data class WorkflowsUiState(
    val loading: Boolean = true,
    val resume: ResumeCard? = null,
    val moreInProgress: Text? = null,
    val workflows: List<WorkflowCard> = emptyList(),
    val starting: String? = null,
    val notice: Notice? = null,
) {
    /** The one thing to do next: go on, else start what alone can be started; none where there is a choice. */
    val next: NextStep?
        get() = if (resume != null) NextStep.GoOn else workflows.filter { it.startable }.singleOrNull()?.let { NextStep.Start(it.key, it.name) }
}

/** What the large button at the foot does. */
sealed interface NextStep {
    /** Go on with the session on the first card. */
    data object GoOn : NextStep

    /** Start a session of this workflow. */
    data class Start(val workflow: String, val name: String) : NextStep
}

/** A session in progress. */
data class ResumeCard(val session: String, val workflowName: String, val sectionName: String, val startedAt: Text)

/** A workflow; [findings] say why it cannot be started. [version] is a label such as `3.1`. */
data class WorkflowCard(
    val key: String,
    val name: String,
    val description: String?,
    val version: String,
    val startable: Boolean,
    val findings: List<Text> = emptyList(),
)

/** What a technician does in the list of workflows. */
sealed interface WorkflowsEvent {
    /** Go on with the session on the first card. */
    data object Resumed : WorkflowsEvent

    /** Show all sessions in progress. */
    data object MoreOpened : WorkflowsEvent

    /** Start a session. */
    data class Started(val workflow: String) : WorkflowsEvent

    /** Look at a workflow. */
    data class Opened(val workflow: String) : WorkflowsEvent

    /** The notice was shown. */
    data object NoticeShown : WorkflowsEvent
}
