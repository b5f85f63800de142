package dev.compass.sample.screen.sessions

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.SessionFilter
import dev.compass.core.model.SessionPage
import dev.compass.core.model.SessionState
import dev.compass.core.model.SessionSummary
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.Text
import dev.compass.sample.text.words
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job

/** The list of sessions. */
class SessionsModel(private val work: Workplace, scope: CoroutineScope) :
    StateModel<SessionsUiState, SessionsEvent>(SessionsUiState(), scope) {
    private var limit = PAGE
    private var following: Job? = null

    init {
        list()
    }

    override fun SessionsUiState.saying(notice: Notice?) = copy(failure = notice?.text)

    override suspend fun take(event: SessionsEvent) {
        when (event) {
            is SessionsEvent.Searched -> ask { copy(text = event.text) }
            is SessionsEvent.Filtered -> ask { copy(filter = event.filter) }
            SessionsEvent.MoreAsked -> if (now.more) {
                limit += PAGE
                list()
            }
            is SessionsEvent.Opened -> open(event.session)
        }
    }

    private fun ask(change: SessionsUiState.() -> SessionsUiState) {
        limit = PAGE
        show { change().copy(failure = null) }
        list()
    }

    private fun list() {
        following?.cancel()
        following = follow(work.compass.observeSessions(now.asked(), limit)) { page -> show { drawn(page) } }
    }

    private fun open(session: String) {
        val row = now.sessions.firstOrNull { it.session == session } ?: return
        work.navigator.open(if (row.inProgress) Screen.Session(session) else Screen.Record(session))
    }

    private companion object {
        const val PAGE = 30
    }
}

private fun SessionsUiState.asked(): SessionFilter {
    val words = text.trim().ifEmpty { null }
    return when (filter) {
        SessionsFilter.ALL -> SessionFilter(text = words)
        SessionsFilter.IN_PROGRESS -> SessionFilter(states = listOf(SessionState.IN_PROGRESS), text = words)
        SessionsFilter.COMPLETED -> SessionFilter(states = listOf(SessionState.COMPLETED), text = words)
        SessionsFilter.WON -> SessionFilter(won = true, text = words)
        SessionsFilter.ENDED -> SessionFilter(states = listOf(SessionState.ENDED), text = words)
        SessionsFilter.WAITING -> SessionFilter(actionStatus = ActionStatus.PENDING, text = words)
        SessionsFilter.FAILED -> SessionFilter(actionStatus = ActionStatus.FAILED, text = words)
    }
}

private fun SessionsUiState.drawn(page: SessionPage) =
    copy(loading = false, sessions = page.sessions.map { it.row() }, more = page.next != null, failure = null)

private fun SessionSummary.row() = SessionRow(
    key,
    workflow.name,
    sectionName,
    state.words(won),
    won == true,
    inProgress = state == SessionState.IN_PROGRESS,
    startedAt = Text.Moment(startedAt),
    actor = actor,
    waiting = actionsPending,
    failed = actionsFailed,
    sent = actionsSent,
    changed = actionsDiffering > 0,
)
