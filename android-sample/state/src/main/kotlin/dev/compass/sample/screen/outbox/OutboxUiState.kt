package dev.compass.sample.screen.outbox

import dev.compass.core.model.ActionStatus
import dev.compass.sample.screen.Notice
import dev.compass.sample.text.Text

/**
 * The outbox: what is saved and not delivered.
 *
 * @property waiting "3 messages wait"; [needsPerson] "1 message needs you", none when there is none.
 * @property oldest since when the oldest waits.
 * @property persons what needs a person, on top; [lines] is the rest.
 * @property sending while "send now" works.
 */
data class OutboxUiState(
    val loading: Boolean = true,
    val waiting: Text? = null,
    val needsPerson: Text? = null,
    val oldest: Text? = null,
    val nextAttempt: Text? = null,
    val persons: List<OutboxRow> = emptyList(),
    val lines: List<OutboxRow> = emptyList(),
    val more: Boolean = false,
    val empty: Boolean = false,
    val sending: Boolean = false,
    val canSendNow: Boolean = false,
    val canSendFailedAgain: Boolean = false,
    val notice: Notice? = null,
)

/** A message. [detail] says when it is tried next. */
data class OutboxRow(
    val session: String,
    val action: String,
    val name: String,
    val workflowName: String,
    val endpoint: String,
    val state: ActionStatus,
    val status: Text,
    val reason: Text?,
    val detail: Text?,
    val attempts: Text?,
    val warning: Text?,
    val savedAt: Text,
)

/** What a technician does in the outbox. */
sealed interface OutboxEvent {
    /** Send now. */
    data object SendNow : OutboxEvent

    /** Send everything again that failed and may be. */
    data object SendFailedAgain : OutboxEvent

    /** The record of a message's session. */
    data class Opened(val session: String) : OutboxEvent

    /** Further messages. */
    data object MoreAsked : OutboxEvent

    /** The notice was shown. */
    data object NoticeShown : OutboxEvent
}
