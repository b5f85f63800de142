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
import dev.compass.sample.screen.workflows.WorkflowCard
import dev.compass.sample.screen.workflows.WorkflowsEvent
import dev.compass.sample.screen.workflows.WorkflowsUiState

/** The list of workflows: first what to go on with. */
class WorkflowsView(around: Surroundings, send: (WorkflowsEvent) -> Unit) : RootView<WorkflowsUiState, WorkflowsEvent>(around, Tab.WORKFLOWS, send) {
    private val waiting = kit.body(string(R.string.loading))
    private val resume = kit.card(6)
    private val resumeName = kit.heading()
    private val resumeWhere = kit.body()
    private val resumeSince = kit.quiet()
    private val more = kit.secondary { send(WorkflowsEvent.MoreOpened) }
    private val heading = kit.heading(string(R.string.workflows_start))
    private val none = kit.body(string(R.string.workflows_none))
    private val workflows = Rows<WorkflowCard>(kit, key = { it.key }, make = ::card)
    private var starting: String? = null

    init {
        val content = page.content
        content.below(waiting)
        resume.below(kit.quiet(string(R.string.workflows_resume_head)))
        resume.below(resumeName)
        resume.below(resumeWhere)
        resume.below(resumeSince)
        resume.below(kit.primary(string(R.string.workflows_resume)) { send(WorkflowsEvent.Resumed) })
        content.below(resume)
        content.below(more)
        content.below(heading)
        content.below(none)
        content.below(workflows.view)
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
        workflows.bind(state.workflows)
        notice(state.notice) { send(WorkflowsEvent.NoticeShown) }
    }

    private fun card(first: WorkflowCard): Bound<WorkflowCard> {
        val card = kit.card(8)
        val name = card.below(kit.heading())
        val version = card.below(kit.quiet())
        val description = card.below(kit.body())
        val incomplete = card.below(kit.badge())
        val findings = TextLines(kit)
        card.below(findings.view)
        val start = card.below(kit.primary { send(WorkflowsEvent.Started(first.key)) })
        val look = card.below(kit.secondary(string(R.string.workflow_open), R.drawable.ic_forward) { send(WorkflowsEvent.Opened(first.key)) })
        look.contentDescription = "${look.text}: ${first.name}"
        return bound(card) {
            name.say(it.name)
            version.say(string(R.string.version, it.version))
            description.say(it.description)
            incomplete.bind(R.drawable.ic_attention, if (it.startable) null else string(R.string.workflow_incomplete), Tone.WAITING)
            findings.bind(it.findings.map(words::of))
            start.visible(it.startable)
            start.isEnabled = starting == null
            start.read(string(if (starting == it.key) R.string.workflow_starting else R.string.workflow_start))
            start.contentDescription = "${start.text}: ${it.name}"
        }
    }
}
