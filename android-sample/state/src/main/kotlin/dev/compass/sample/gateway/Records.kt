package dev.compass.sample.gateway

import java.time.Instant

/** What became of an action: the product's four words. */
enum class ActionState { NOT_FIRED, PENDING, SENT, FAILED }

/** One HTTP try. [outcome] is `sent` or a reason's code. */
data class Attempt(val number: Int, val at: Instant, val status: Int?, val outcome: String)

/** An action of a finished session, with its newest message. */
data class RecordAction(
    val key: String,
    val name: String,
    val endpoint: String,
    val state: ActionState,
    val reason: String?,
    val failedSends: Int,
    val locked: Boolean,
    val canSend: Boolean,
    val canSendCorrected: Boolean,
    val canAbandon: Boolean,
    val deliveryId: String? = null,
    val sentAt: Instant? = null,
    val nextAttemptAt: Instant? = null,
    val attempts: Int = 0,
    val lastAttempts: List<Attempt> = emptyList(),
    val mayHaveBeenDelivered: Boolean = false,
)

/** A field of a record; [onPath] says whether the path asked it, and [draft] is what was half typed in an edit. */
data class RecordField(
    val info: FieldInfo,
    val holding: Holding,
    val onPath: Boolean,
    val completedAt: Instant?,
    val draft: String? = null,
)

/** A field in a line of the timeline. */
data class NamedHolding(val field: String, val name: String, val holding: Holding)

/** What happened. */
sealed interface Happening {
    data class Started(val section: String, val prefilled: List<NamedHolding>) : Happening
    data class FieldsSet(val fields: List<NamedHolding>) : Happening
    data class Answered(val section: String, val answer: String, val superseded: Boolean) : Happening
    data class WentBack(val section: String) : Happening
    data class ResponseUsed(val response: String, val kind: ResponseKind, val section: String) : Happening
    data class Noted(val text: String) : Happening
    data class Completed(val section: String, val won: Boolean) : Happening
    data class Ended(val section: String, val reason: String) : Happening
    data object Discarded : Happening
    data class FieldEdited(val name: String, val field: String, val from: Holding, val to: Holding) : Happening
    data class NoteEdited(val to: String) : Happening
    data class SendRequested(val action: String, val corrected: Boolean) : Happening
    data class Abandoned(val action: String, val reason: String) : Happening
}

/** A line of the timeline: one act, which may hold several [happenings]. */
data class Moment(val number: Int, val at: Instant, val offsetSeconds: Int, val actor: String?, val happenings: List<Happening>)

/** The record of a session. */
data class RecordNow(
    val key: String,
    val workflow: WorkflowName,
    val state: SessionState,
    val won: Boolean,
    val actor: String?,
    val startedAt: Instant,
    val finishedAt: Instant?,
    val endReason: String?,
    val fields: List<RecordField>,
    val notes: List<SessionNote>,
    val timeline: List<Moment>,
    val actions: List<RecordAction>,
)

/** The message that an action sends or would send. */
data class Preview(val action: String, val endpoint: String, val body: String)
