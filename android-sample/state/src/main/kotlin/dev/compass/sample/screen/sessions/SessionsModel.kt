package dev.compass.sample.screen.sessions

import dev.compass.sample.gateway.ActionState
import dev.compass.sample.gateway.SessionItem
import dev.compass.sample.gateway.SessionList
import dev.compass.sample.gateway.SessionQuery
import dev.compass.sample.gateway.SessionState
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
        following = follow(work.gateway.sessions(now.query(), limit)) { list -> show { drawn(list) } }
    }

    private fun open(session: String) {
        val row = now.sessions.firstOrNull { it.session == session } ?: return
        work.navigator.open(if (row.inProgress) Screen.Session(session) else Screen.Record(session))
    }

    private companion object {
        const val PAGE = 30
    }
}

private fun SessionsUiState.query(): SessionQuery {
    val words = text.trim().ifEmpty { null }
    return when (filter) {
        SessionFilter.ALL -> SessionQuery(text = words)
        SessionFilter.IN_PROGRESS -> SessionQuery(states = setOf(SessionState.IN_PROGRESS), text = words)
        SessionFilter.COMPLETED -> SessionQuery(states = setOf(SessionState.COMPLETED), text = words)
        SessionFilter.WON -> SessionQuery(won = true, text = words)
        SessionFilter.ENDED -> SessionQuery(states = setOf(SessionState.ENDED), text = words)
        SessionFilter.WAITING -> SessionQuery(action = ActionState.PENDING, text = words)
        SessionFilter.FAILED -> SessionQuery(action = ActionState.FAILED, text = words)
    }
}

private fun SessionsUiState.drawn(list: SessionList) =
    copy(loading = false, sessions = list.sessions.map { it.row() }, more = list.more, failure = null)

private fun SessionItem.row() = SessionRow(
    key,
    workflow.name,
    sectionName,
    state.words(won),
    won,
    inProgress = state == SessionState.IN_PROGRESS,
    startedAt = Text.Moment(startedAt),
    actor = actor,
    waiting = pending,
    failed = failed,
    sent = sent,
)
