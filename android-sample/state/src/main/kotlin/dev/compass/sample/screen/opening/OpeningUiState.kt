package dev.compass.sample.screen.opening

import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.settings.DataQuestion
import dev.compass.sample.text.Text

/**
 * Before there is anything else to show.
 *
 * @property open the database is open, and the app goes on.
 * @property failure why it is not; none while it is tried.
 * @property canSave whether it may help to save what can be read of it.
 * @property canReplace whether it may help to put a backup in its place, or to start over.
 * @property saved what was saved of it.
 * @property question what is asked before it is replaced or erased.
 */
data class OpeningUiState(
    val open: Boolean = false,
    val failure: Text? = null,
    val canSave: Boolean = false,
    val canReplace: Boolean = false,
    val saved: SavedData? = null,
    val question: DataQuestion? = null,
    val working: Boolean = false,
    val notice: Notice? = null,
)

/** A file with what could still be read, to share: how many messages in it are not sent, and [gaps] where some could not be read. */
data class SavedData(val path: String, val unsent: Text, val gaps: Text?)

/** What a technician does while the database does not open. */
sealed interface OpeningEvent {
    /** Try again. */
    data object Retried : OpeningEvent

    /** Save what can be read. */
    data object SaveTapped : OpeningEvent

    /** A backup was chosen; the path of a copy of it that is the app's own. */
    data class BackupChosen(val copy: String) : OpeningEvent

    /** The file that was chosen could not be read. */
    data object FileUnreadable : OpeningEvent

    /** Start over with nothing; asks first. */
    data object StartOverTapped : OpeningEvent

    /** Every change of the reason why messages are given up. */
    data class DiscardReasonTyped(val reason: String) : OpeningEvent

    /** Every change of the name of who gives them up. */
    data class DiscardActorTyped(val actor: String) : OpeningEvent

    /** Yes to the question. */
    data object Confirmed : OpeningEvent

    /** The question was left. */
    data object Dismissed : OpeningEvent

    /** The notice was shown. */
    data object NoticeShown : OpeningEvent
}
