package dev.compass.sample.app.screens

import android.graphics.Typeface
import dev.compass.core.model.NoteChange
import dev.compass.core.model.SessionState
import dev.compass.sample.app.R
import dev.compass.sample.app.field.FieldView
import dev.compass.sample.app.kit.Bound
import dev.compass.sample.app.kit.Line
import dev.compass.sample.app.kit.Page
import dev.compass.sample.app.kit.Rows
import dev.compass.sample.app.kit.TextLines
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.beside
import dev.compass.sample.app.kit.bound
import dev.compass.sample.app.kit.read
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.field.FieldUi
import dev.compass.sample.field.Keyboard
import dev.compass.sample.screen.record.AbandonQuestion
import dev.compass.sample.screen.record.ActionCard
import dev.compass.sample.screen.record.Editing
import dev.compass.sample.screen.record.MessageLine
import dev.compass.sample.screen.record.PreviewSheet
import dev.compass.sample.screen.record.RecordEvent
import dev.compass.sample.screen.record.RecordFieldLine
import dev.compass.sample.screen.record.RecordMenu
import dev.compass.sample.screen.record.RecordNote
import dev.compass.sample.screen.record.RecordUiState
import dev.compass.sample.screen.record.TimelineLine
import dev.compass.sample.screen.record.TimelineSign

/** The record of a session: how it went, what became of its messages, what was answered, and everything in order of time. */
class RecordView(around: Surroundings, send: (RecordEvent) -> Unit) : ScreenView<RecordUiState, RecordEvent>(around, send) {
    private val waiting = kit.body(string(R.string.loading))
    private val head = kit.card(8)
    private val state = kit.badge()
    private val version = kit.quiet()
    private val started = kit.body()
    private val finished = kit.body()
    private val reason = kit.body()
    private val actionsHead = kit.heading(string(R.string.record_actions))
    private val totals = kit.quiet()
    private val actions = Rows<ActionCard>(kit, key = { it.key }, make = ::action)
    private val fieldsHead = kit.heading(string(R.string.review_fields))
    private val fieldsCard = kit.card(12)
    private val fields = Rows<RecordFieldLine>(kit, gap = 12, key = { it.key }) {
        val pair = kit.column(2)
        val name = pair.below(kit.quiet())
        val value = pair.below(kit.strong())
        bound(pair) {
            name.say(it.name)
            value.say(words.of(it.value))
            value.setTextColor(if (it.provided) kit.palette.ink else kit.palette.quietInk)
        }
    }
    private val notesHead = kit.heading(string(R.string.session_notes))
    private val notes = Rows<RecordNote>(kit, gap = 8, key = { it.number }) {
        val card = kit.card(4)
        val text = card.below(kit.body())
        val at = card.below(kit.quiet())
        bound(card) {
            text.say(it.text)
            at.say(if (it.edited) string(R.string.record_note_edited, words.of(it.at)) else words.of(it.at))
        }
    }
    private val edit = kit.secondary(string(R.string.record_edit), R.drawable.ic_pen) { send(RecordEvent.EditOpened) }
    private val timelineHead = kit.heading(string(R.string.record_timeline))
    private val timelineCard = kit.card(14)
    private val timeline = Rows<TimelineLine>(kit, gap = 14, key = { it.key }, make = ::moment)
    private val editing = EditPage()
    private val preview = PreviewPage()
    private val abandoning = AbandonPage()
    private val menu = MenuPage()
    private val replay = replayPage()
    private var working = false

    init {
        for (part in listOf(state, version, started, finished, reason)) head.below(part)
        fieldsCard.below(fields.view)
        timelineCard.below(timeline.view)
        val parts = listOf(
            waiting, head, actionsHead, totals, actions.view, fieldsHead, fieldsCard, notesHead, notes.view, edit, timelineHead, timelineCard,
        )
        for (part in parts) page.content.below(part)
        page.action(R.drawable.ic_more, string(R.string.record_menu)) { send(RecordEvent.MenuOpened) }
    }

    override fun bind(state: RecordUiState) {
        page.head(state.workflowName.ifEmpty { string(R.string.session_record) }) { send(RecordEvent.Left) }
        working = state.working
        waiting.visible(state.loading)
        head.visible(!state.loading)
        head(state)
        actionsHead.visible(state.actions.isNotEmpty())
        totals.say(state.totals.filter { it.count > 0 }.joinToString(" · ") { "${words.of(it.label)} ${words.number(it.count)}" }.ifEmpty { null })
        actions.bind(state.actions)
        fieldsHead.visible(state.fields.isNotEmpty())
        fieldsCard.visible(state.fields.isNotEmpty())
        fields.bind(state.fields)
        notesHead.visible(state.notes.isNotEmpty())
        notes.bind(state.notes)
        edit.visible(state.canEdit)
        timelineHead.visible(state.timeline.isNotEmpty())
        timelineCard.visible(state.timeline.isNotEmpty())
        timeline.bind(state.timeline)
        val editingNow = state.editing
        val previewNow = state.preview
        val abandoningNow = state.abandoning
        over(
            when {
                abandoningNow != null -> abandoning.bind(abandoningNow)
                previewNow != null -> preview.bind(previewNow)
                editingNow != null -> editing.bind(editingNow)
                else -> when (state.menu) {
                    RecordMenu.CHOICES -> menu.bind(state.canReplay && !state.working)
                    RecordMenu.REPLAY -> replay
                    null -> null
                }
            },
        )
        notice(state.notice) { send(RecordEvent.NoticeShown) }
    }

    private fun head(now: RecordUiState) {
        state.bind(
            when {
                now.won -> R.drawable.ic_flag
                now.state == SessionState.IN_PROGRESS -> R.drawable.ic_waiting
                now.state == SessionState.COMPLETED -> R.drawable.ic_sent
                else -> R.drawable.ic_not_sent
            },
            words.of(now.stateText),
            if (now.won) Tone.GOOD else Tone.PLAIN,
        )
        version.say(string(R.string.version, now.version))
        val since = words.orNull(now.startedAt).orEmpty()
        started.say(now.actor?.let { string(R.string.started_at_by, since, it) } ?: string(R.string.started_at, since))
        finished.say(now.finishedAt?.let { string(R.string.record_finished, words.of(it)) })
        reason.say(now.endReason?.let { string(R.string.record_reason, it) })
    }

    private fun action(first: ActionCard): Bound<ActionCard> {
        val card = kit.card(8)
        val name = card.below(kit.strong())
        val status = card.below(kit.badge())
        val detail = card.below(kit.body())
        val messages = Rows<MessageLine>(kit, gap = 4, key = { it.key }) { line ->
            val said = kit.body()
            if (line.replay) said.setPaddingRelative(kit.dp(24), 0, 0, 0)
            bound(said) { said.say(words.of(it.text)) }
        }
        card.below(messages.view)
        val attempts = card.below(kit.strong())
        val tries = TextLines(kit) { it.quiet() }
        card.below(tries.view)
        val warnings = TextLines(kit)
        card.below(warnings.view)
        val again = card.below(kit.secondary(icon = R.drawable.ic_send) { send(RecordEvent.SendTapped(first.key)) })
        val corrected = kit.secondary(string(R.string.action_send_corrected), R.drawable.ic_send) { send(RecordEvent.SendCorrectedTapped(first.key)) }
        card.below(corrected)
        val look = card.below(kit.secondary(string(R.string.action_preview), R.drawable.ic_forward) { send(RecordEvent.PreviewOpened(first.key)) })
        val give = card.below(kit.danger(string(R.string.action_abandon)) { send(RecordEvent.AbandonOpened(first.key)) })
        return bound(card) {
            name.say(string(R.string.action_to, it.name, it.endpoint))
            status.bind(it.state.resource, listOfNotNull(words.of(it.status), words.orNull(it.reason)).joinToString(": "), it.state.tone)
            detail.say(words.orNull(it.detail))
            messages.bind(it.messages)
            attempts.say(words.orNull(it.attempts))
            tries.bind(it.attemptLines.map(words::of))
            warnings.bind(it.warnings.map(words::of))
            again.visible(it.canSend)
            again.read(string(if (it.attempts == null) R.string.action_send else R.string.action_send_again))
            corrected.visible(it.canSendCorrected)
            give.visible(it.canAbandon)
            for (button in listOf(again, corrected, look, give)) {
                button.isEnabled = !working
                button.contentDescription = "${button.text}: ${it.name}"
            }
        }
    }

    private fun moment(first: TimelineLine): Bound<TimelineLine> {
        val row = kit.row(12)
        row.gravity = android.view.Gravity.TOP
        row.beside(kit.icon(first.sign.resource, kit.palette.accent))
        val column = row.beside(kit.column(2), weight = 1f)
        val what = column.below(kit.body())
        val at = column.below(kit.quiet())
        return bound(row) {
            what.say(words.of(it.text))
            at.say(words.of(it.at))
        }
    }

    private inner class EditPage {
        private val page = sheet(string(R.string.record_edit)) { send(RecordEvent.Dismissed) }
        private val fields = Rows<FieldUi>(kit, key = { it.key }) {
            FieldView(kit, words, it, around.tools) { event -> send(RecordEvent.Field(event)) }
        }
        private val notes = Rows<NoteChange>(kit, key = { it.note }) { first ->
            val line = Line(kit, string(R.string.session_notes), typed = { send(RecordEvent.NoteTyped(first.note, it)) })
            line.keyboard(Keyboard.TEXT, multiline = true)
            bound(line) { line.bind(it.text) }
        }
        private val notesHead = kit.heading(string(R.string.session_notes))
        private val why = Line(kit, string(R.string.record_edit_reason), typed = { send(RecordEvent.EditReasonTyped(it)) })
        private val save = kit.primary(string(R.string.record_save)) { send(RecordEvent.EditSaved) }

        init {
            why.keyboard(Keyboard.TEXT)
            page.content.below(kit.body(string(R.string.record_edit_hint)))
            val asksWhy = kit.asked(string(R.string.record_edit_reason), why)
            for (part in listOf(fields.view, notesHead, notes.view, asksWhy)) page.content.below(part)
            page.foot.below(save)
        }

        fun bind(now: Editing): Page {
            fields.bind(now.fields)
            notesHead.visible(now.notes.isNotEmpty())
            notes.bind(now.notes)
            why.bind(now.reason)
            save.isEnabled = now.canSave && !working
            return page
        }
    }

    private inner class PreviewPage {
        private val page = sheet(string(R.string.action_preview)) { send(RecordEvent.Dismissed) }
        private val to = kit.strong()
        private val body = kit.body().apply { typeface = Typeface.MONOSPACE }

        init {
            // What a machine reads runs from left to right in every language.
            body.textDirection = android.view.View.TEXT_DIRECTION_LTR
            body.setTextIsSelectable(true)
            page.content.below(to)
            page.content.below(kit.card().also { it.below(body) })
            page.foot.below(kit.secondary(string(R.string.close)) { send(RecordEvent.Dismissed) })
        }

        fun bind(sheet: PreviewSheet): Page {
            to.say(string(R.string.action_to, sheet.name, sheet.endpoint))
            body.say(sheet.body)
            return page
        }
    }

    /** What is seldom needed: it is not among the buttons of the record. */
    private inner class MenuPage {
        private val page = sheet(string(R.string.record_menu)) { send(RecordEvent.Dismissed) }
        private val again = kit.secondary(string(R.string.record_replay), R.drawable.ic_send) { send(RecordEvent.ReplayOpened) }
        private val none = kit.body(string(R.string.record_replay_none))

        init {
            page.content.below(again)
            page.content.below(none)
            page.foot.below(kit.secondary(string(R.string.close)) { send(RecordEvent.Dismissed) })
        }

        fun bind(canReplay: Boolean): Page {
            again.isEnabled = canReplay
            none.visible(!canReplay)
            return page
        }
    }

    private fun replayPage() = sheet(string(R.string.record_replay)) { send(RecordEvent.Dismissed) }.also {
        it.content.below(kit.body(string(R.string.record_replay_question)))
        it.foot.below(kit.secondary(string(R.string.cancel)) { send(RecordEvent.Dismissed) })
        it.foot.below(kit.primary(string(R.string.action_send_again)) { send(RecordEvent.ReplayConfirmed) })
    }

    private inner class AbandonPage {
        private val page = sheet(string(R.string.action_abandon)) { send(RecordEvent.Dismissed) }
        private val question = kit.body()
        private val why = Line(kit, string(R.string.abandon_reason), typed = { send(RecordEvent.AbandonReasonTyped(it)) })
        private val who = Line(kit, string(R.string.settings_actor), typed = { send(RecordEvent.AbandonActorTyped(it)) })
        private val asksWho = kit.asked(string(R.string.settings_actor), who)
        private val give = kit.danger(string(R.string.action_abandon)) { send(RecordEvent.AbandonConfirmed) }

        init {
            for (line in listOf(why, who)) line.keyboard(Keyboard.TEXT)
            for (part in listOf(question, kit.asked(string(R.string.abandon_reason), why), asksWho)) page.content.below(part)
            page.foot.below(give)
            page.foot.below(kit.primary(string(R.string.cancel)) { send(RecordEvent.Dismissed) })
        }

        fun bind(asked: AbandonQuestion): Page {
            question.say(string(R.string.abandon_question, asked.name))
            why.bind(asked.reason)
            asksWho.visible(asked.asksActor)
            who.bind(asked.actor)
            give.isEnabled = asked.canAbandon && !working
            return page
        }
    }

    private val TimelineSign.resource: Int
        get() = when (this) {
            TimelineSign.STARTED -> R.drawable.ic_forward
            TimelineSign.FIELD, TimelineSign.EDITED, TimelineSign.NOTE -> R.drawable.ic_pen
            TimelineSign.ANSWER, TimelineSign.COMPLETED -> R.drawable.ic_sent
            TimelineSign.TAKEN_BACK, TimelineSign.BACK -> R.drawable.ic_back
            TimelineSign.RESPONSE -> R.drawable.ic_saved
            TimelineSign.WON -> R.drawable.ic_flag
            TimelineSign.ENDED, TimelineSign.DISCARDED, TimelineSign.ABANDONED -> R.drawable.ic_not_sent
            TimelineSign.SEND -> R.drawable.ic_send
        }
}
