package dev.compass.sample.screen.workflow

import dev.compass.core.CompassException
import dev.compass.core.ErrorCode
import dev.compass.core.model.EndpointStatus
import dev.compass.core.model.FieldDefinition
import dev.compass.core.model.Section
import dev.compass.core.model.Workflow
import dev.compass.core.model.WorkflowRef
import dev.compass.core.model.WorkflowSummary
import dev.compass.core.start
import dev.compass.core.workflow
import dev.compass.sample.core.addMessage
import dev.compass.sample.core.label
import dev.compass.sample.core.removeAction
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import dev.compass.sample.text.words
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map

/** A workflow's outline; its actions can be changed here, which makes a revision of this phone's own. */
class WorkflowModel(private val workflow: String, private val work: Workplace, scope: CoroutineScope) :
    StateModel<WorkflowUiState, WorkflowEvent>(WorkflowUiState(), scope) {
    private val compass = work.compass
    private var endpoints: List<EndpointStatus> = emptyList()

    init {
        follow(compass.observeWorkflows().map { it.current() }.distinctUntilChanged()) { summary ->
            val content = compass.workflow(summary.workflow)
            show { drawn(summary, content) }
        }
        follow(compass.observeEndpoints()) { all -> endpoints = all.filter { it.archivedAt == null } }
    }

    private fun List<WorkflowSummary>.current() =
        firstOrNull { it.current && it.workflow.key == workflow } ?: throw CompassException(ErrorCode.UNKNOWN_WORKFLOW)

    override fun WorkflowUiState.saying(notice: Notice?) = copy(notice = notice)

    override suspend fun take(event: WorkflowEvent) {
        when (event) {
            WorkflowEvent.Started -> start()
            is WorkflowEvent.AddOpened -> section(event.section)?.let { openSheet(it) }
            is WorkflowEvent.EndpointChosen -> show { copy(adding = adding?.copy(chosen = event.endpoint)) }
            is WorkflowEvent.ActionNamed -> show { copy(adding = adding?.copy(name = event.name)) }
            WorkflowEvent.AddConfirmed -> add()
            is WorkflowEvent.RemoveOpened -> openQuestion(event)
            WorkflowEvent.RemoveConfirmed -> remove()
            WorkflowEvent.Dismissed -> show { copy(adding = null, removing = null) }
            WorkflowEvent.SettingsOpened -> work.navigator.open(Screen.Settings)
            WorkflowEvent.Left -> work.navigator.back()
            WorkflowEvent.NoticeShown -> say(null)
        }
    }

    private fun section(key: String): SectionCard? = now.sections.firstOrNull { it.key == key }

    private suspend fun start() {
        if (!now.startable || work.navigator.stack.value.top != Screen.Workflow(workflow)) return
        val session = compass.start(workflow, actor = work.actor).view
        work.navigator.open(Screen.Session(session.key))
    }

    private fun openSheet(section: SectionCard) = show {
        val keys = endpoints.map { it.endpoint.key }
        // With one endpoint there is nothing to choose, and a tap less.
        copy(adding = AddSheet(section.key, section.name, section.name, keys, keys.singleOrNull()))
    }

    private suspend fun add() {
        val sheet = now.adding ?: return
        val endpoint = sheet.chosen
        if (!sheet.canAdd || endpoint == null) return
        changing(TextId.NOTICE_ACTION_ADDED) { compass.addMessage(workflow, sheet.section, sheet.name.trim(), endpoint) }
    }

    private fun openQuestion(event: WorkflowEvent.RemoveOpened) {
        val action = section(event.section)?.actions?.firstOrNull { it.key == event.action } ?: return
        show { copy(removing = RemoveQuestion(event.section, action.key, action.name)) }
    }

    private suspend fun remove() {
        val question = now.removing ?: return
        changing(TextId.NOTICE_ACTION_REMOVED) { compass.removeAction(workflow, question.section, question.action) }
    }

    private suspend fun changing(done: TextId, change: suspend () -> WorkflowRef) {
        show { copy(saving = true) }
        try {
            val changed = change()
            show { copy(adding = null, removing = null) }
            say(Notice(text(done, Text.Plain(changed.label))))
        } finally {
            show { copy(saving = false) }
        }
    }
}

private fun WorkflowUiState.drawn(summary: WorkflowSummary, content: Workflow): WorkflowUiState {
    val library = content.fields.associateBy { it.key }
    val names = content.sections.associate { it.key to it.name }
    return copy(
        loading = false,
        name = content.name,
        description = content.description,
        version = summary.workflow.label,
        startable = summary.startable,
        findings = summary.findings.map { it.words(content) },
        sections = content.sections.map { it.card(library, names, content.start) },
    )
}

private fun Section.card(library: Map<String, FieldDefinition>, names: Map<String, String>, start: String) = SectionCard(
    key,
    name,
    isStart = key == start,
    isEnd = answers.isEmpty(),
    win = win,
    fields = fields.mapNotNull { library[it] },
    answers = answers.map { AnswerLine(it.name, it.next?.let(names::get)) },
    actions = actions,
)
