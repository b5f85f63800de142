package dev.compass.sample.app.screens

import dev.compass.core.model.ActionPreview
import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Rows
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.bound
import dev.compass.sample.app.kit.read
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.screen.review.MissingField
import dev.compass.sample.screen.review.ReviewEvent
import dev.compass.sample.screen.review.ReviewField
import dev.compass.sample.screen.review.ReviewUiState

/** Before completing: that everything is saved, what will be sent and to whom, and what is still missing. */
class ReviewView(around: Surroundings, send: (ReviewEvent) -> Unit) : ScreenView<ReviewUiState, ReviewEvent>(around, send) {
    private val waiting = kit.body(string(R.string.loading))
    private val saved = kit.badge()
    private val where = kit.heading()
    private val win = kit.badge()
    private val place = kit.card(8)
    private val missingHead = kit.heading(string(R.string.review_missing))
    private val missing = Rows<MissingField>(kit, gap = 8, key = { it.field }) { first ->
        val button = kit.secondary(icon = R.drawable.ic_attention) { send(ReviewEvent.MissingOpened(first.field)) }
        bound(button) { button.say("${it.name}: ${words.of(it.problem)}") }
    }
    private val sendHead = kit.heading()
    private val off = kit.badge()
    private val leaving = kit.card(12)
    private val messages = Rows<IndexedValue<ActionPreview>>(kit, gap = 8, key = { it.index }) {
        val line = kit.body()
        with(kit) { line.begins(R.drawable.ic_send, palette.accent) }
        bound(line) { line.say(string(R.string.action_to, it.value.name, it.value.endpoint)) }
    }
    private val fieldsHead = kit.heading(string(R.string.review_fields))
    private val fields = Rows<IndexedValue<ReviewField>>(kit, gap = 12, key = { it.index }) {
        val pair = kit.column(2)
        val name = pair.below(kit.quiet())
        val value = pair.below(kit.strong())
        bound(pair) {
            name.say(it.value.name)
            value.say(words.of(it.value.value))
            value.setTextColor(if (it.value.provided) kit.palette.ink else kit.palette.quietInk)
        }
    }
    private val complete = kit.primary { send(ReviewEvent.Completed) }
    private val answers = kit.card(12)

    init {
        for (part in listOf(where, win)) place.below(part)
        for (part in listOf(sendHead, off, messages.view)) leaving.below(part)
        for (part in listOf(fieldsHead, fields.view)) answers.below(part)
        for (part in listOf(waiting, saved, missingHead, missing.view, leaving, place, answers)) page.content.below(part)
        page.foot.below(complete)
    }

    override fun bind(state: ReviewUiState) {
        page.head(string(R.string.review_title)) { send(ReviewEvent.Left) }
        waiting.visible(state.loading)
        saved.bind(R.drawable.ic_saved, if (state.loading) null else string(R.string.review_saved), Tone.GOOD)
        place.visible(!state.loading)
        where.say(state.sectionName)
        win.bind(R.drawable.ic_flag, if (state.win) string(R.string.section_win) else null, Tone.GOOD)
        missingHead.visible(state.missing.isNotEmpty())
        missing.bind(state.missing)
        sendHead.say(words.orNull(state.willSend))
        leaving.visible(state.willSend != null || state.integrationOff)
        off.bind(R.drawable.ic_not_sent, if (state.integrationOff) string(R.string.review_off) else null, Tone.WAITING)
        messages.bind(state.messages.withIndex().toList())
        answers.visible(state.fields.isNotEmpty())
        fields.bind(state.fields.withIndex().toList())
        complete.visible(!state.loading)
        complete.isEnabled = state.canComplete && !state.completing
        complete.read(string(if (state.completing) R.string.review_completing else R.string.review_complete))
        notice(state.notice) { send(ReviewEvent.NoticeShown) }
    }
}
