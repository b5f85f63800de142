package dev.compass.sample.screen.session

import dev.compass.core.model.Answer
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.FieldUi
import dev.compass.sample.screen.Notice
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text

/**
 * A session, one section at a time.
 *
 * @property visit changes with every move: the view then scrolls to the top and puts the focus of the screen reader on the heading.
 * @property paragraphs what the technician reads.
 * @property answers big buttons; none on an end section, which has [canReview] instead.
 * @property problems "2 things are missing", above the answers, after one was tried.
 * @property moving while an answer is being saved: buttons take no tap.
 * @property closed the session is over: the screen says so and leads to its record.
 */
data class SessionUiState(
    val loading: Boolean = true,
    val workflowName: String = "",
    val sectionName: String = "",
    val visit: Int = 0,
    val paragraphs: List<String> = emptyList(),
    val progress: Progress = Progress(1, 0),
    val saved: SavedMark = SavedMark.SAVED,
    val fields: List<FieldUi> = emptyList(),
    val answers: List<Answer> = emptyList(),
    val responses: List<ResponseUi> = emptyList(),
    val notes: List<NoteUi> = emptyList(),
    val path: List<StepUi> = emptyList(),
    val canGoBack: Boolean = false,
    val canReview: Boolean = false,
    val problems: Text? = null,
    val moving: Boolean = false,
    val closed: Boolean = false,
    val dialog: SessionDialog? = null,
    val notice: Notice? = null,
)

/** Where in the workflow: this step, and how many more it takes at least to an end. */
data class Progress(val step: Int, val atLeastLeft: Int) {
    /** From 0 to 1. */
    val fraction: Float get() = step.toFloat() / (step + atLeastLeft).coerceAtLeast(1)

    /** "At least 2 more steps". */
    val left: Text get() = Text.Count(CountId.STEPS_LEFT, atLeastLeft)
}

/** Whether what is on the screen is on flash. */
enum class SavedMark { SAVED, SAVING, NOT_YET }

/** A response to an objection or a question. */
data class ResponseUi(val key: String, val label: Text, val paragraphs: List<String>)

/** A note. */
data class NoteUi(val text: String, val at: Text)

/** A step of the path, to go back to. */
data class StepUi(val visit: Int, val name: String, val answer: String?, val current: Boolean)

/** What lies over the session. */
sealed interface SessionDialog {
    /** The words of a response; "used" notes that it was used. */
    data class Response(val response: ResponseUi) : SessionDialog

    /** Writing a note. */
    data class Note(val text: String) : SessionDialog

    /** The list of steps to go back to. */
    data object Steps : SessionDialog

    /** Ending at once: why? Nothing will be sent. */
    data class End(val reason: String) : SessionDialog {
        /** A reason is needed. */
        val canEnd: Boolean get() = reason.isNotBlank()
    }

    /** Shall all of it be thrown away? */
    data object Discard : SessionDialog
}

/** What a technician does in a session. */
sealed interface SessionEvent {
    /** To a field. */
    data class Field(val event: FieldEvent) : SessionEvent

    /** An answer button. */
    data class Answered(val answer: String) : SessionEvent

    /** One section back; on the first section, out of the session, which stays as it is. */
    data object WentBack : SessionEvent

    /** Back to a step. */
    data class WentBackTo(val visit: Int) : SessionEvent

    /** To review and complete; on an end section. */
    data object Reviewed : SessionEvent

    /** Opens the words of a response. */
    data class ResponseOpened(val response: String) : SessionEvent

    /** It was used. */
    data object ResponseUsed : SessionEvent

    /** Opens the sheet for a note. */
    data object NoteOpened : SessionEvent

    /** Every change of the note's text. */
    data class NoteTyped(val text: String) : SessionEvent

    /** Keep the note. */
    data object NoteSaved : SessionEvent

    /** Opens the list of steps. */
    data object StepsOpened : SessionEvent

    /** Opens the question for ending at once. */
    data object EndOpened : SessionEvent

    /** Every change of the reason. */
    data class ReasonTyped(val reason: String) : SessionEvent

    /** Ends. */
    data object EndConfirmed : SessionEvent

    /** Opens the question for discarding. */
    data object DiscardOpened : SessionEvent

    /** Throws it away. */
    data object DiscardConfirmed : SessionEvent

    /** The dialog was left. */
    data object Dismissed : SessionEvent

    /** Out of the session, which stays as it is. */
    data object Left : SessionEvent

    /** To the record of a session that is over. */
    data object RecordOpened : SessionEvent

    /** The notice was shown. */
    data object NoticeShown : SessionEvent
}
