package dev.compass.sample.screen.workflow

import dev.compass.sample.gateway.EndpointLine
import dev.compass.sample.gateway.OutlineSection
import dev.compass.sample.gateway.WorkflowItem
import dev.compass.sample.gateway.WorkflowOutline
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import dev.compass.sample.text.words
import kotlinx.coroutines.CoroutineScope

/** A workflow's outline; its actions can be changed here, which makes a revision of this phone's own. */
class WorkflowModel(private val workflow: String, private val work: Workplace, scope: CoroutineScope) :
    StateModel<WorkflowUiState, WorkflowEvent>(WorkflowUiState(), scope) {
    private var endpoints: List<EndpointLine> = emptyList()

    init {
        follow(work.gateway.outline(workflow)) { outline -> show { drawn(outline) } }
        follow(work.gateway.endpoints()) { endpoints = it }
    }

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
        val session = work.gateway.start(workflow, work.actor, work.newCommand())
        work.navigator.open(Screen.Session(session.key))
    }

    private fun openSheet(section: SectionCard) = show {
        val keys = endpoints.map { it.key }
        // With one endpoint there is nothing to choose, and a tap less.
        copy(adding = AddSheet(section.key, section.name, section.name, keys, keys.singleOrNull()))
    }

    private suspend fun add() {
        val sheet = now.adding ?: return
        val endpoint = sheet.chosen
        if (!sheet.canAdd || endpoint == null) return
        changing(TextId.NOTICE_ACTION_ADDED) { work.gateway.addMessage(workflow, sheet.section, sheet.name.trim(), endpoint) }
    }

    private fun openQuestion(event: WorkflowEvent.RemoveOpened) {
        val action = section(event.section)?.actions?.firstOrNull { it.key == event.action } ?: return
        show { copy(removing = RemoveQuestion(event.section, action.key, action.name)) }
    }

    private suspend fun remove() {
        val question = now.removing ?: return
        changing(TextId.NOTICE_ACTION_REMOVED) { work.gateway.removeAction(workflow, question.section, question.action) }
    }

    private suspend fun changing(done: TextId, change: suspend () -> WorkflowItem) {
        show { copy(saving = true) }
        try {
            val changed = change()
            show { copy(adding = null, removing = null) }
            say(Notice(text(done, Text.Plain(changed.workflow.label))))
        } finally {
            show { copy(saving = false) }
        }
    }
}

private fun WorkflowUiState.drawn(outline: WorkflowOutline): WorkflowUiState {
    val names = outline.sections.associate { it.key to it.name }
    return copy(
        loading = false,
        name = outline.item.workflow.name,
        description = outline.item.description,
        version = outline.item.workflow.label,
        startable = outline.item.startable,
        findings = outline.item.findings.map { it.words() },
        sections = outline.sections.map { it.card(names, outline.start) },
    )
}

private fun OutlineSection.card(names: Map<String, String>, start: String) = SectionCard(
    key,
    name,
    isStart = key == start,
    isEnd = answers.isEmpty(),
    win = win,
    fields = fields.map { FieldLine(it.name, it.required) },
    answers = answers.map { AnswerLine(it.name, it.next?.let(names::get)) },
    actions = actions.map { ActionLine(it.key, it.name, it.endpoint) },
)
