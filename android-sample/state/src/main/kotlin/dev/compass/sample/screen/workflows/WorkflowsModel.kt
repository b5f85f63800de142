package dev.compass.sample.screen.workflows

import dev.compass.sample.gateway.SessionList
import dev.compass.sample.gateway.SessionQuery
import dev.compass.sample.gateway.SessionState
import dev.compass.sample.gateway.Severity
import dev.compass.sample.gateway.WorkflowItem
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
    init {
        val gateway = work.gateway
        val inProgress = gateway.sessions(SessionQuery(states = setOf(SessionState.IN_PROGRESS)), COUNTED)
        follow(combine(gateway.workflows(), inProgress, ::Pair)) { (workflows, sessions) -> show { drawn(workflows, sessions) } }
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
            val session = work.gateway.start(workflow, work.actor, work.newCommand())
            work.navigator.open(Screen.Session(session.key))
        } finally {
            show { copy(starting = null) }
        }
    }

    private companion object {
        /** In progress at a time; more is "50 more". */
        const val COUNTED = 51
    }
}

private fun WorkflowsUiState.drawn(workflows: List<WorkflowItem>, inProgress: SessionList): WorkflowsUiState {
    val resume = inProgress.sessions.firstOrNull()
    val more = inProgress.sessions.size - 1
    return copy(
        loading = false,
        resume = resume?.let { ResumeCard(it.key, it.workflow.name, it.sectionName, Text.Moment(it.startedAt)) },
        moreInProgress = if (more > 0) Text.Count(CountId.MORE_IN_PROGRESS, more) else null,
        workflows = workflows.map { it.card() },
    )
}

private fun WorkflowItem.card() = WorkflowCard(
    workflow.key,
    workflow.name,
    description,
    workflow.label,
    startable,
    // A warning is for the author; what keeps a session from being started is for everybody.
    findings.filter { it.severity != Severity.WARNING }.map { it.words() },
)
