package dev.compass.sample.app.screens

import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Bound
import dev.compass.sample.app.kit.Rows
import dev.compass.sample.app.kit.TextLines
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.bound
import dev.compass.sample.app.kit.read
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.screen.workflows.NextStep
import dev.compass.sample.screen.workflows.WorkflowCard
import dev.compass.sample.screen.workflows.WorkflowsEvent
import dev.compass.sample.screen.workflows.WorkflowsUiState

/** The list of workflows: first what to go on with, and at the foot the way there. */
class WorkflowsView(around: Surroundings, send: (WorkflowsEvent) -> Unit) : RootView<WorkflowsUiState, WorkflowsEvent>(around, Tab.WORKFLOWS, send) {
    private val waiting = kit.body(string(R.string.loading))
    private val resume = kit.card(6)
    private val resumeName = kit.heading()
    private val resumeWhere = kit.body()
    private val resumeSince = kit.quiet()
    private val more = kit.secondary(icon = R.drawable.ic_sessions) { send(WorkflowsEvent.MoreOpened) }
    private val heading = kit.heading(string(R.string.workflows_start))
    private val none = kit.body(string(R.string.workflows_none))
    private val workflows = Rows<WorkflowCard>(kit, key = { it.key }, make = ::card)
    private val next = kit.primary { doNext() }
    private var toDo: NextStep? = null
    private var starting: String? = null

    init {
        val content = page.content
        content.below(waiting)
        resume.below(kit.quiet(string(R.string.workflows_resume_head)))
        resume.below(resumeName)
        resume.below(resumeWhere)
        resume.below(resumeSince)
        content.below(resume)
        content.below(more)
        content.below(heading)
        content.below(none)
        content.below(workflows.view)
        page.foot.below(next)
    }

    override fun bind(state: WorkflowsUiState) {
        waiting.visible(state.loading)
        resume.visible(state.resume != null)
        state.resume?.let {
            resumeName.say(it.workflowName)
            resumeWhere.say(it.sectionName)
            resumeSince.say(string(R.string.started_at, words.of(it.startedAt)))
        }
        more.say(words.orNull(state.moreInProgress))
        heading.visible(state.workflows.isNotEmpty())
        none.visible(!state.loading && state.workflows.isEmpty())
        starting = state.starting
        toDo = state.next
        workflows.bind(state.workflows)
        next(state.next)
        notice(state.notice) { send(WorkflowsEvent.NoticeShown) }
    }

    private fun next(step: NextStep?) {
        next.visible(step != null)
        next.isEnabled = starting == null
        when (step) {
            NextStep.GoOn -> next.read(string(R.string.workflows_resume))
            is NextStep.Start -> next.read(start(step.workflow, step.name))
            null -> Unit
        }
    }

    private fun doNext() {
        when (val step = toDo) {
            NextStep.GoOn -> send(WorkflowsEvent.Resumed)
            is NextStep.Start -> send(WorkflowsEvent.Started(step.workflow))
            null -> Unit
        }
    }

    /** Which one, in the words themselves: several can be started from here. */
    private fun start(workflow: String, name: String): String =
        string(if (starting == workflow) R.string.workflow_starting_named else R.string.workflow_start_named, name)

    private fun card(first: WorkflowCard): Bound<WorkflowCard> {
        val card = kit.card(8)
        val name = card.below(kit.heading())
        val version = card.below(kit.quiet())
        val description = card.below(kit.body())
        val incomplete = card.below(kit.badge())
        val findings = TextLines(kit)
        card.below(findings.view)
        val start = card.below(kit.secondary(icon = R.drawable.ic_forward) { send(WorkflowsEvent.Started(first.key)) })
        val look = card.below(kit.secondary(string(R.string.workflow_open), R.drawable.ic_workflows) { send(WorkflowsEvent.Opened(first.key)) })
        look.contentDescription = "${look.text}: ${first.name}"
        return bound(card) {
            name.say(it.name)
            version.say(string(R.string.version, it.version))
            description.say(it.description)
            incomplete.bind(R.drawable.ic_attention, if (it.startable) null else string(R.string.workflow_incomplete), Tone.WAITING)
            findings.bind(it.findings.map(words::of))
            start.visible(it.startable && toDo != NextStep.Start(it.key, it.name))
            start.isEnabled = starting == null
            start.read(string(if (starting == it.key) R.string.workflow_starting else R.string.workflow_start))
            start.contentDescription = start(it.key, it.name)
        }
    }
}
