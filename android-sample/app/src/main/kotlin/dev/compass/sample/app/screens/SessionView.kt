package dev.compass.sample.app.screens

import android.content.res.ColorStateList
import android.view.View
import android.widget.ProgressBar
import dev.compass.core.model.Answer
import dev.compass.sample.app.R
import dev.compass.sample.app.field.FieldView
import dev.compass.sample.app.kit.Rows
import dev.compass.sample.app.kit.TextLines
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.bound
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.field.FieldUi
import dev.compass.sample.screen.session.NoteUi
import dev.compass.sample.screen.session.Progress
import dev.compass.sample.screen.session.ResponseUi
import dev.compass.sample.screen.session.SavedMark
import dev.compass.sample.screen.session.SessionEvent
import dev.compass.sample.screen.session.SessionUiState

/** A session, one section at a time: what to do, what to note, and at the bottom the answers. */
class SessionView(around: Surroundings, send: (SessionEvent) -> Unit) : ScreenView<SessionUiState, SessionEvent>(around, send) {
    private val waiting = kit.body(string(R.string.loading))
    private val bar = ProgressBar(kit.context, null, android.R.attr.progressBarStyleHorizontal)
    private val step = kit.quiet()
    private val saved = kit.badge()
    private val section = kit.title()
    private val paragraphs = TextLines(kit, gap = 10)
    private val fields = Rows<FieldUi>(kit, key = { "$visit ${it.key}" }) {
        FieldView(kit, words, it, around.tools) { event -> send(SessionEvent.Field(event)) }
    }
    private val responses = Rows<ResponseUi>(kit, gap = 8, key = { it.key }) { first ->
        val button = kit.secondary(icon = R.drawable.ic_forward) { send(SessionEvent.ResponseOpened(first.key)) }
        bound(button) { button.say(words.of(it.label)) }
    }
    private val responsesHead = kit.heading(string(R.string.session_responses))
    private val notesHead = kit.heading(string(R.string.session_notes))
    private val notes = Rows<IndexedValue<NoteUi>>(kit, gap = 8, key = { it.index }) {
        val card = kit.card(4)
        val text = card.below(kit.body())
        val at = card.below(kit.quiet())
        bound(card) {
            text.say(it.value.text)
            at.say(words.of(it.value.at))
        }
    }
    private val ways = kit.column(10)
    private val steps = kit.secondary(string(R.string.session_steps), R.drawable.ic_sessions) { send(SessionEvent.StepsOpened) }
    private val problems = kit.badge()
    private val answers = Rows<Answer>(kit, gap = 10, key = { "$visit ${it.key}" }) { first ->
        val button = kit.primary { send(SessionEvent.Answered(first.key)) }
        bound(button) {
            button.say(it.name)
            button.isEnabled = !moving
        }
    }
    private val review = kit.primary(string(R.string.session_review)) { send(SessionEvent.Reviewed) }
    private val toRecord = kit.primary(string(R.string.session_record)) { send(SessionEvent.RecordOpened) }
    private val over = kit.body(string(R.string.session_over))
    private val sheets = SessionSheets(kit, words, ::sheet, send)
    private var visit = NONE
    private var moving = false

    init {
        bar.max = WHOLE
        bar.progressTintList = ColorStateList.valueOf(kit.palette.accent)
        bar.progressBackgroundTintList = ColorStateList.valueOf(kit.palette.line)
        // The words below it say the same.
        bar.importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO
        for (it in listOf(saved, problems)) it.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
        val head = kit.column(6)
        head.below(bar)
        head.below(step)
        head.below(saved)
        for (part in listOf(waiting, head, section, over, paragraphs.view, fields.view)) page.content.below(part)
        for (part in listOf(responsesHead, responses.view, notesHead, notes.view)) page.content.below(part)
        ways.below(kit.secondary(string(R.string.session_note), R.drawable.ic_pen) { send(SessionEvent.NoteOpened) })
        ways.below(steps)
        ways.below(kit.secondary(string(R.string.session_end), R.drawable.ic_close) { send(SessionEvent.EndOpened) })
        ways.below(kit.danger(string(R.string.session_discard)) { send(SessionEvent.DiscardOpened) })
        page.content.below(ways)
        page.foot.below(problems)
        page.foot.below(answers.view)
        page.foot.below(review)
        page.foot.below(toRecord)
        page.action(R.drawable.ic_close, string(R.string.session_leave)) { send(SessionEvent.Left) }
    }

    override fun bind(state: SessionUiState) {
        val moved = !state.loading && state.visit != visit
        visit = state.visit
        moving = state.moving
        page.head(state.workflowName) { send(if (state.canGoBack) SessionEvent.WentBack else SessionEvent.Left) }
        waiting.visible(state.loading)
        val open = !state.loading && !state.closed
        bar.visible(open)
        bar.progress = Math.round(state.progress.fraction * WHOLE)
        step.say(if (open) steps(state.progress) else null)
        section.say(state.sectionName)
        over.visible(state.closed)
        paragraphs.bind(state.paragraphs)
        fields.bind(if (state.closed) emptyList() else state.fields)
        saved(state.saved, open)
        responsesHead.visible(open && state.responses.isNotEmpty())
        responses.bind(if (open) state.responses else emptyList())
        notesHead.visible(state.notes.isNotEmpty())
        notes.bind(state.notes.withIndex().toList())
        ways.visible(open)
        steps.visible(state.path.size > 1)
        problems.bind(R.drawable.ic_attention, words.orNull(state.problems), Tone.BAD)
        answers.bind(if (open) state.answers else emptyList())
        review.visible(open && state.canReview)
        toRecord.visible(state.closed)
        over(sheets.bind(state))
        notice(state.notice) { send(SessionEvent.NoticeShown) }
        if (moved) page.arrive()
    }

    private fun steps(progress: Progress): String {
        val here = words.number(progress.step)
        if (progress.atLeastLeft == 0) return string(R.string.session_last_step, here)
        return string(R.string.session_step, here, words.of(progress.left))
    }

    private fun saved(mark: SavedMark, open: Boolean) = when {
        !open -> saved.bind(0, null, Tone.PLAIN)
        mark == SavedMark.SAVED -> saved.bind(R.drawable.ic_saved, string(R.string.saved_on_phone), Tone.GOOD)
        mark == SavedMark.SAVING -> saved.bind(R.drawable.ic_waiting, string(R.string.saving), Tone.PLAIN)
        else -> saved.bind(R.drawable.ic_attention, string(R.string.not_saved_yet), Tone.WAITING)
    }

    private companion object {
        const val NONE = -1
        const val WHOLE = 1000
    }
}
