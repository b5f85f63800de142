package dev.compass.sample.screen.sessions

import dev.compass.sample.text.Text

/** The filters of the list, one at a time. */
enum class SessionsFilter { ALL, IN_PROGRESS, WON, COMPLETED, ENDED, WAITING, FAILED }

/**
 * The list of sessions.
 *
 * @property text what is searched in notes and texts of finished sessions.
 * @property more whether a further page can be asked for.
 */
data class SessionsUiState(
    val loading: Boolean = true,
    val text: String = "",
    val filter: SessionsFilter = SessionsFilter.ALL,
    val sessions: List<SessionRow> = emptyList(),
    val more: Boolean = false,
    val failure: Text? = null,
)

/**
 * A session.
 *
 * @property waiting how many of its messages wait, [failed] failed and [sent] were sent; a row shows those above zero.
 * @property changed whether it was edited and the newest message of an action has other values.
 */
data class SessionRow(
    val session: String,
    val workflowName: String,
    val sectionName: String,
    val status: Text,
    val won: Boolean,
    val inProgress: Boolean,
    val startedAt: Text,
    val actor: String?,
    val waiting: Int,
    val failed: Int,
    val sent: Int,
    val changed: Boolean,
)

/** What a technician does in the list of sessions. */
sealed interface SessionsEvent {
    /** Every change of the search. */
    data class Searched(val text: String) : SessionsEvent

    /** Another filter. */
    data class Filtered(val filter: SessionsFilter) : SessionsEvent

    /** The end of the list is near, or "more" was tapped. */
    data object MoreAsked : SessionsEvent

    /** Opens a session: to go on with it, or its record. */
    data class Opened(val session: String) : SessionsEvent
}
