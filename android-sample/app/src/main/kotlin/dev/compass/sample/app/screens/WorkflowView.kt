package dev.compass.sample.app.screens

import dev.compass.core.model.ActionDefinition
import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Bound
import dev.compass.sample.app.kit.Line
import dev.compass.sample.app.kit.Marks
import dev.compass.sample.app.kit.Rows
import dev.compass.sample.app.kit.TextLines
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.beside
import dev.compass.sample.app.kit.bound
import dev.compass.sample.app.kit.mark
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.field.Keyboard
import dev.compass.sample.screen.workflow.AddSheet
import dev.compass.sample.screen.workflow.RemoveQuestion
import dev.compass.sample.screen.workflow.SectionCard
import dev.compass.sample.screen.workflow.WorkflowEvent
import dev.compass.sample.screen.workflow.WorkflowUiState

/** A workflow's outline. Adding a message is three taps: "add" on a section, an endpoint, "add". */
class WorkflowView(around: Surroundings, send: (WorkflowEvent) -> Unit) : ScreenView<WorkflowUiState, WorkflowEvent>(around, send) {
    private val waiting = kit.body(string(R.string.loading))
    private val version = kit.quiet()
    private val description = kit.body()
    private val incomplete = kit.badge()
    private val findings = TextLines(kit)
    private val sections = Rows<SectionCard>(kit, key = { it.key }, make = ::section)
    private val start = kit.primary(string(R.string.workflow_start)) { send(WorkflowEvent.Started) }
    private val adding = Adding()
    private val removing = Removing()

    init {
        val content = page.content
        content.below(waiting)
        content.below(version)
        content.below(description)
        content.below(incomplete)
        content.below(findings.view)
        content.below(sections.view)
        page.foot.below(start)
    }

    override fun bind(state: WorkflowUiState) {
        page.head(state.name) { send(WorkflowEvent.Left) }
        waiting.visible(state.loading)
        version.say(if (state.loading) null else string(R.string.version, state.version))
        description.say(state.description)
        incomplete.bind(R.drawable.ic_attention, if (state.loading || state.startable) null else string(R.string.workflow_incomplete), Tone.WAITING)
        findings.bind(state.findings.map(words::of))
        sections.bind(state.sections)
        start.visible(state.startable)
        start.isEnabled = !state.saving
        state.adding?.let { adding.bind(it, state.saving) }
        state.removing?.let { removing.bind(it, state.saving) }
        over(if (state.adding != null) adding.page else if (state.removing != null) removing.page else null)
        notice(state.notice) { send(WorkflowEvent.NoticeShown) }
    }

    private fun section(first: SectionCard): Bound<SectionCard> {
        val card = kit.card(10)
        val name = card.below(kit.heading())
        val place = card.below(kit.badge())
        val fields = TextLines(kit)
        card.below(fields.view)
        val answers = TextLines(kit) { it.quiet() }
        card.below(answers.view)
        val actions = Rows<ActionDefinition>(kit, gap = 8, key = { it.key }) { action(first.key, it) }
        card.below(actions.view)
        val add = card.below(kit.secondary(string(R.string.action_add), R.drawable.ic_add) { send(WorkflowEvent.AddOpened(first.key)) })
        return bound(card) {
            name.say(it.name)
            when {
                it.win -> place.bind(R.drawable.ic_flag, string(R.string.section_win), Tone.GOOD)
                it.isEnd -> place.bind(R.drawable.ic_flag, string(R.string.section_end), Tone.PLAIN)
                it.isStart -> place.bind(R.drawable.ic_forward, string(R.string.section_start), Tone.PLAIN)
                else -> place.bind(0, null, Tone.PLAIN)
            }
            fields.bind(it.fields.map { field -> if (field.required) string(R.string.field_line_required, field.name) else field.name })
            answers.bind(it.answers.map { answer ->
                answer.leadsTo?.let { to -> string(R.string.answer_leads, answer.name, to) } ?: string(R.string.answer_unlinked, answer.name)
            })
            actions.bind(it.actions)
            add.contentDescription = "${add.text}: ${it.name}"
        }
    }

    private fun action(section: String, first: ActionDefinition): Bound<ActionDefinition> {
        val row = kit.row(8)
        row.beside(kit.icon(R.drawable.ic_send, kit.palette.accent))
        val words = row.beside(kit.body(), weight = 1f)
        row.beside(kit.iconButton(R.drawable.ic_remove, string(R.string.action_remove_named, first.name)) {
            send(WorkflowEvent.RemoveOpened(section, first.key))
        })
        return bound(row) { words.say(string(R.string.action_to, it.name, it.endpoint)) }
    }

    private inner class Adding {
        val page = sheet(string(R.string.action_add)) { send(WorkflowEvent.Dismissed) }
        private val section = kit.body()
        private val name = Line(kit, string(R.string.action_name), typed = { send(WorkflowEvent.ActionNamed(it)) })
        private val endpoints = Rows<IndexedValue<String>>(kit, gap = 8, key = { it.value }) { first ->
            val button = Marks.radio(kit) { send(WorkflowEvent.EndpointChosen(first.value)) }
            button.text = first.value
            bound(button) { button.mark(it.value == chosen) }
        }
        private val to = kit.asked(string(R.string.action_endpoint), endpoints.view)
        private val none = kit.body(string(R.string.action_no_endpoint))
        private val settings = kit.secondary(string(R.string.action_to_settings), R.drawable.ic_settings) { send(WorkflowEvent.SettingsOpened) }
        private val add = kit.primary(string(R.string.action_add_confirm)) { send(WorkflowEvent.AddConfirmed) }
        private var chosen: String? = null

        init {
            name.keyboard(Keyboard.TEXT)
            for (part in listOf(section, kit.asked(string(R.string.action_name), name), to, none, settings)) page.content.below(part)
            page.foot.below(add)
        }

        fun bind(sheet: AddSheet, saving: Boolean) {
            section.say(string(R.string.action_in_section, sheet.sectionName))
            name.bind(sheet.name)
            chosen = sheet.chosen
            to.visible(!sheet.noEndpoints)
            endpoints.bind(sheet.endpoints.withIndex().toList())
            none.visible(sheet.noEndpoints)
            settings.visible(sheet.noEndpoints)
            add.visible(!sheet.noEndpoints)
            add.isEnabled = sheet.canAdd && !saving
        }
    }

    private inner class Removing {
        val page = sheet(string(R.string.action_remove)) { send(WorkflowEvent.Dismissed) }
        private val question = kit.body()
        private val remove = kit.danger(string(R.string.action_remove)) { send(WorkflowEvent.RemoveConfirmed) }

        init {
            page.content.below(question)
            page.foot.below(remove)
            page.foot.below(kit.primary(string(R.string.cancel)) { send(WorkflowEvent.Dismissed) })
        }

        fun bind(asked: RemoveQuestion, saving: Boolean) {
            question.say(string(R.string.action_remove_question, asked.name))
            remove.isEnabled = !saving
        }
    }
}
