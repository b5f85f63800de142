package dev.compass.sample.screen.outbox

import dev.compass.core.model.ActionStatus
import dev.compass.core.model.DeliveryState
import dev.compass.core.model.FlushEnd
import dev.compass.core.model.OutboxItem
import dev.compass.core.model.OutboxPage
import dev.compass.core.model.OutboxTotals
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.reasonWords
import dev.compass.sample.text.text
import dev.compass.sample.text.words
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.combine

/** The outbox. */
class OutboxModel(private val work: Workplace, scope: CoroutineScope) : StateModel<OutboxUiState, OutboxEvent>(OutboxUiState(), scope) {
    private var limit = PAGE
    private var following: Job? = null

    init {
        list()
    }

    override fun OutboxUiState.saying(notice: Notice?) = copy(notice = notice)

    override suspend fun take(event: OutboxEvent) {
        when (event) {
            OutboxEvent.SendNow -> sendNow()
            OutboxEvent.SendFailedAgain -> {
                val again = work.compass.sendFailedAgain(work.actor)
                say(Notice(Text.Count(CountId.SENT_AGAIN, again)))
            }
            is OutboxEvent.Opened -> work.navigator.open(Screen.Record(event.session))
            OutboxEvent.MoreAsked -> if (now.more) {
                limit += PAGE
                list()
            }
            OutboxEvent.NoticeShown -> say(null)
        }
    }

    private fun list() {
        following?.cancel()
        val told = combine(work.compass.observeOutboxTotals(), work.compass.observeOutbox(limit = limit), ::Pair)
        following = follow(told) { (totals, page) -> show { drawn(totals, page) } }
    }

    private fun sendNow() {
        if (now.sending) return
        show { copy(sending = true) }
        background {
            try {
                val report = work.compass.flush(urgent = true)
                val result = when {
                    report.sent > 0 -> Text.Count(CountId.SENT_NOW, report.sent)
                    report.end == FlushEnd.OFFLINE -> text(TextId.NOTICE_STILL_OFFLINE)
                    else -> text(TextId.NOTICE_NOTHING_TO_SEND)
                }
                say(Notice(result))
            } finally {
                show { copy(sending = false) }
            }
        }
    }

    private companion object {
        const val PAGE = 30
    }
}

private fun OutboxUiState.drawn(totals: OutboxTotals, page: OutboxPage): OutboxUiState {
    val (persons, lines) = page.items.partition { it.needsPerson }
    return copy(
        loading = false,
        waiting = Text.Count(CountId.OUTBOX_WAITING, totals.pending.toInt()),
        needsPerson = if (totals.needsPerson > 0) Text.Count(CountId.OUTBOX_NEEDS_PERSON, totals.needsPerson.toInt()) else null,
        oldest = totals.oldestUnsentAt?.let { Text.Moment(it) },
        nextAttempt = lines.mapNotNull { it.delivery.nextAttemptAt }.minOrNull()?.let { Text.Moment(it) },
        persons = persons.map { it.row() },
        lines = lines.map { it.row() },
        more = page.next != null,
        empty = page.items.isEmpty(),
        canSendNow = totals.pending > 0,
        canSendFailedAgain = totals.failed > 0,
    )
}

private fun OutboxItem.row(): OutboxRow {
    val state = if (delivery.state == DeliveryState.FAILED) ActionStatus.FAILED else ActionStatus.PENDING
    return OutboxRow(
        session,
        action,
        actionName,
        workflow.name,
        delivery.endpoint,
        state,
        state.words(),
        delivery.reason?.let(::reasonWords),
        delivery.nextAttemptAt?.let { text(TextId.ACTION_NEXT_ATTEMPT, Text.Moment(it)) },
        if (delivery.attempts > 0) Text.Count(CountId.ATTEMPTS, delivery.attempts) else null,
        if (delivery.mayHaveBeenDelivered) text(TextId.ACTION_MAYBE_DELIVERED) else null,
        Text.Moment(delivery.frozenAt),
    )
}
