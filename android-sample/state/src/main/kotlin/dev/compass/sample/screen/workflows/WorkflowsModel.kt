package dev.compass.sample.screen.workflows

import dev.compass.core.model.SessionFilter
import dev.compass.core.model.SessionPage
import dev.compass.core.model.SessionState
import dev.compass.core.model.Severity
import dev.compass.core.model.WorkflowSummary
import dev.compass.core.start
import dev.compass.sample.core.label
import dev.compass.sample.core.words
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.words
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.combine

/** The list of workflows, with the session to go on with on top. */
class WorkflowsModel(private val work: Workplace, scope: CoroutineScope) :
    StateModel<WorkflowsUiState, WorkflowsEvent>(WorkflowsUiState(), scope) {
    private val compass = work.compass

    init {
        val inProgress = compass.observeSessions(SessionFilter(states = listOf(SessionState.IN_PROGRESS)), COUNTED)
        follow(combine(compass.observeWorkflows(), inProgress, ::Pair)) { (workflows, sessions) ->
            val cards = workflows.filter { it.current }.sortedBy { it.workflow.name }.map { it.card() }
            show { drawn(cards, sessions) }
        }
    }

    override fun WorkflowsUiState.saying(notice: Notice?) = copy(notice = notice)

    override suspend fun take(event: WorkflowsEvent) = when (event) {
        WorkflowsEvent.Resumed -> now.resume?.let { work.navigator.open(Screen.Session(it.session)) } ?: Unit
        WorkflowsEvent.MoreOpened -> work.navigator.open(Screen.Sessions)
        is WorkflowsEvent.Started -> start(event.workflow)
        is WorkflowsEvent.Opened -> work.navigator.open(Screen.Workflow(event.workflow))
        WorkflowsEvent.NoticeShown -> say(null)
    }

    private suspend fun start(workflow: String) {
        // A second tap was meant for the same session.
        if (work.navigator.stack.value.top != Screen.Workflows) return
        show { copy(starting = workflow) }
        try {
            val session = compass.start(workflow, actor = work.actor).view
            work.navigator.open(Screen.Session(session.key))
        } finally {
            show { copy(starting = null) }
        }
    }

    private suspend fun WorkflowSummary.card() = WorkflowCard(
        workflow.key,
        workflow.name,
        description,
        workflow.label,
        startable,
        // A warning is for the author; what keeps a session from being started is for everybody.
        compass.words(findings.filter { it.severity != Severity.WARNING }, workflow),
    )

    private companion object {
        /** In progress at a time; more is "50 more". */
        const val COUNTED = 51
    }
}

private fun WorkflowsUiState.drawn(workflows: List<WorkflowCard>, inProgress: SessionPage): WorkflowsUiState {
    val resume = inProgress.sessions.firstOrNull()
    val more = inProgress.sessions.size - 1
    return copy(
        loading = false,
        resume = resume?.let { ResumeCard(it.key, it.workflow.name, it.sectionName, Text.Moment(it.startedAt)) },
        moreInProgress = if (more > 0) Text.Count(CountId.MORE_IN_PROGRESS, more) else null,
        workflows = workflows,
    )
}
