package dev.compass.sample.screen.record

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.NoteChange
import dev.compass.core.model.SessionState
import dev.compass.sample.field.FieldEvent
import dev.compass.sample.field.FieldUi
import dev.compass.sample.screen.Notice
import dev.compass.sample.text.Text

/**
 * The record of a session.
 *
 * @property won draws the mark, with its word.
 * @property editing the fields as inputs, while they are edited; none otherwise.
 * @property preview the message of an action, while it is looked at.
 * @property menu what of the menu is open; none while it is closed.
 * @property canReplay whether a delivered message can be sent again.
 */
data class RecordUiState(
    val loading: Boolean = true,
    val workflowName: String = "",
    val version: String = "",
    val state: SessionState = SessionState.COMPLETED,
    val stateText: Text = Text.Plain(""),
    val won: Boolean = false,
    val actor: String? = null,
    val startedAt: Text? = null,
    val finishedAt: Text? = null,
    val endReason: String? = null,
    val timeline: List<TimelineLine> = emptyList(),
    val fields: List<RecordFieldLine> = emptyList(),
    val notes: List<RecordNote> = emptyList(),
    val actions: List<ActionCard> = emptyList(),
    val totals: List<ActionTotal> = emptyList(),
    val editing: Editing? = null,
    val preview: PreviewSheet? = null,
    val abandoning: AbandonQuestion? = null,
    val menu: RecordMenu? = null,
    val canReplay: Boolean = false,
    val canEdit: Boolean = false,
    val working: Boolean = false,
    val notice: Notice? = null,
)

/** What a line of the timeline is about, for its sign. */
enum class TimelineSign {
    STARTED, FIELD, ANSWER, TAKEN_BACK, BACK, RESPONSE, NOTE, COMPLETED, WON, ENDED, DISCARDED, EDITED, SEND, ABANDONED,
}

/** A line of the timeline: when (and by whom), the sign, and what happened. */
data class TimelineLine(val key: String, val at: Text, val sign: TimelineSign, val text: Text)

/** A field; "not provided" where nothing was said. */
data class RecordFieldLine(val key: String, val name: String, val value: Text, val provided: Boolean)

/** A note; [number] names it. */
data class RecordNote(val number: Int, val text: String, val at: Text, val edited: Boolean)

/** How many actions have this status. */
data class ActionTotal(val state: ActionStatus, val label: Text, val count: Int)

/**
 * An action.
 *
 * @property reason why it is so, where there is a reason.
 * @property detail when it was sent, or when it is tried next.
 * @property attempts "2 tries"; [attemptLines] says what became of each, newest first.
 * @property messages its messages in order, where there are several.
 * @property warnings that the receiver may have it already, that it is locked, or that the record was edited since.
 */
data class ActionCard(
    val key: String,
    val name: String,
    val endpoint: String,
    val state: ActionStatus,
    val status: Text,
    val reason: Text?,
    val detail: Text?,
    val attempts: Text?,
    val attemptLines: List<Text>,
    val messages: List<MessageLine>,
    val warnings: List<Text>,
    val canSend: Boolean,
    val canSendCorrected: Boolean,
    val canAbandon: Boolean,
)

/** A message of an action, and what became of it. A [replay] stands below the version that is sent again. */
data class MessageLine(val key: String, val text: Text, val replay: Boolean)

/** The menu of a record: what is seldom needed, and the question that follows. */
enum class RecordMenu { CHOICES, REPLAY }

/** The record being edited; the [reason] may be empty. */
data class Editing(val fields: List<FieldUi>, val notes: List<NoteChange>, val reason: String, val canSave: Boolean)

/** The message of an action: where it goes, and its body, indented for people. */
data class PreviewSheet(val action: String, val name: String, val endpoint: String, val body: String)

/**
 * Giving a message up needs a reason and a name.
 *
 * @property actor who gives it up; [asksActor] when the settings do not say, and it is typed here.
 */
data class AbandonQuestion(val action: String, val name: String, val reason: String, val actor: String, val asksActor: Boolean) {
    /** Whether it can be given up. */
    val canAbandon: Boolean get() = reason.isNotBlank() && actor.isNotBlank()
}

/** What a technician does in a record. */
sealed interface RecordEvent {
    /** Edit fields and notes. */
    data object EditOpened : RecordEvent

    /** To a field being edited. */
    data class Field(val event: FieldEvent) : RecordEvent

    /** Every change of a note being edited. */
    data class NoteTyped(val number: Int, val text: String) : RecordEvent

    /** Every change of the reason of the edits. */
    data class EditReasonTyped(val reason: String) : RecordEvent

    /** Keep the edits. */
    data object EditSaved : RecordEvent

    /** The edits, the menu, the sheet or the question were left. */
    data object Dismissed : RecordEvent

    /** Send an action (again). */
    data class SendTapped(val action: String) : RecordEvent

    /** Send it with the edited values. */
    data class SendCorrectedTapped(val action: String) : RecordEvent

    /** Look at its message. */
    data class PreviewOpened(val action: String) : RecordEvent

    /** Give it up: asks for a reason. */
    data class AbandonOpened(val action: String) : RecordEvent

    /** Every change of the reason. */
    data class AbandonReasonTyped(val reason: String) : RecordEvent

    /** Every change of the name of who gives it up. */
    data class AbandonActorTyped(val actor: String) : RecordEvent

    /** Give it up. */
    data object AbandonConfirmed : RecordEvent

    /** The menu. */
    data object MenuOpened : RecordEvent

    /** Send what was delivered again: asks first. */
    data object ReplayOpened : RecordEvent

    /** Send it again. */
    data object ReplayConfirmed : RecordEvent

    /** Out of the record. */
    data object Left : RecordEvent

    /** The notice was shown. */
    data object NoticeShown : RecordEvent
}
