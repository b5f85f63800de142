package dev.compass.sample.app.screens

import android.view.View
import dev.compass.sample.app.R
import dev.compass.sample.app.kit.Bound
import dev.compass.sample.app.kit.Line
import dev.compass.sample.app.kit.Marks
import dev.compass.sample.app.kit.Rows
import dev.compass.sample.app.kit.Tone
import dev.compass.sample.app.kit.WrapRow
import dev.compass.sample.app.kit.below
import dev.compass.sample.app.kit.bound
import dev.compass.sample.app.kit.mark
import dev.compass.sample.app.kit.say
import dev.compass.sample.app.kit.visible
import dev.compass.sample.field.Keyboard
import dev.compass.sample.screen.sessions.SessionRow
import dev.compass.sample.screen.sessions.SessionsEvent
import dev.compass.sample.screen.sessions.SessionsFilter
import dev.compass.sample.screen.sessions.SessionsUiState

/** All sessions on this phone, with search, filters and further pages. */
class SessionsView(around: Surroundings, send: (SessionsEvent) -> Unit) : RootView<SessionsUiState, SessionsEvent>(around, Tab.SESSIONS, send) {
    private val search = Line(kit, string(R.string.sessions_search), typed = { send(SessionsEvent.Searched(it)) })
    private val filters = SessionsFilter.entries.associateWith { filter ->
        Marks.radio(kit) { send(SessionsEvent.Filtered(filter)) }.apply { text = string(filter.label) }
    }
    private val waiting = kit.body(string(R.string.loading))
    private val failure = kit.badge()
    private val none = kit.body(string(R.string.sessions_none))
    private val sessions = Rows<SessionRow>(kit, key = { it.session }, make = ::row)
    private val more = kit.secondary(string(R.string.more)) { send(SessionsEvent.MoreAsked) }

    init {
        failure.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
        search.keyboard(Keyboard.TEXT)
        search.hint = string(R.string.sessions_search)
        val chips = WrapRow(kit)
        for (it in filters.values) chips.addView(it)
        for (part in listOf(search, chips, waiting, failure, none, sessions.view, more)) page.content.below(part)
    }

    override fun bind(state: SessionsUiState) {
        search.bind(state.text)
        for ((filter, chip) in filters) chip.mark(filter == state.filter)
        waiting.visible(state.loading)
        failure.bind(R.drawable.ic_attention, words.orNull(state.failure), Tone.BAD)
        none.visible(!state.loading && state.sessions.isEmpty())
        sessions.bind(state.sessions)
        more.visible(state.more)
    }

    private fun row(first: SessionRow): Bound<SessionRow> {
        val name = kit.strong()
        val card = kit.pressableCard(name) { send(SessionsEvent.Opened(first.session)) }
        val status = card.below(kit.badge())
        val where = card.below(kit.body())
        val started = card.below(kit.quiet())
        val messages = card.below(kit.body())
        val changed = card.below(kit.badge())
        return bound(card) {
            name.say(it.workflowName)
            status.bind(
                when {
                    it.won -> R.drawable.ic_flag
                    it.inProgress -> R.drawable.ic_waiting
                    else -> R.drawable.ic_saved
                },
                words.of(it.status),
                if (it.won) Tone.GOOD else if (it.inProgress) Tone.WAITING else Tone.PLAIN,
            )
            where.say(it.sectionName)
            val since = words.of(it.startedAt)
            started.say(it.actor?.let { who -> string(R.string.started_at_by, since, who) } ?: string(R.string.started_at, since))
            messages.say(counts(it))
            changed.bind(R.drawable.ic_pen, if (it.changed) string(R.string.sessions_changed) else null, Tone.WAITING)
        }
    }

    private fun counts(row: SessionRow): String? = listOf(
        row.failed to R.string.sessions_failed,
        row.waiting to R.string.sessions_waiting,
        row.sent to R.string.sessions_sent,
    ).filter { it.first > 0 }.joinToString(" · ") { (count, label) -> string(label, words.number(count)) }.ifEmpty { null }

    private val SessionsFilter.label: Int
        get() = when (this) {
            SessionsFilter.ALL -> R.string.filter_all
            SessionsFilter.IN_PROGRESS -> R.string.filter_in_progress
            SessionsFilter.COMPLETED -> R.string.filter_completed
            SessionsFilter.WON -> R.string.filter_won
            SessionsFilter.ENDED -> R.string.filter_ended
            SessionsFilter.WAITING -> R.string.filter_waiting
            SessionsFilter.FAILED -> R.string.filter_failed
        }
}
