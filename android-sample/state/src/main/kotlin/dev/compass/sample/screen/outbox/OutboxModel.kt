package dev.compass.sample.screen.outbox

import dev.compass.sample.gateway.OutboxLine
import dev.compass.sample.gateway.OutboxList
import dev.compass.sample.gateway.OutboxNumbers
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
                val again = work.gateway.sendFailedAgain(work.actor)
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
        following = follow(combine(work.gateway.outboxNumbers(), work.gateway.outbox(limit), ::Pair)) { (numbers, list) ->
            show { drawn(numbers, list) }
        }
    }

    private fun sendNow() {
        if (now.sending) return
        show { copy(sending = true) }
        background {
            try {
                val sent = work.gateway.sendNow()
                val result = when {
                    sent.sent > 0 -> Text.Count(CountId.SENT_NOW, sent.sent)
                    sent.offline -> text(TextId.NOTICE_STILL_OFFLINE)
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

private fun OutboxUiState.drawn(numbers: OutboxNumbers, list: OutboxList): OutboxUiState {
    val (persons, lines) = list.lines.partition { it.needsPerson }
    return copy(
        loading = false,
        waiting = Text.Count(CountId.OUTBOX_WAITING, numbers.waiting),
        needsPerson = if (numbers.needsPerson > 0) Text.Count(CountId.OUTBOX_NEEDS_PERSON, numbers.needsPerson) else null,
        oldest = numbers.oldest?.let { Text.Moment(it) },
        nextAttempt = lines.mapNotNull { it.nextAttemptAt }.minOrNull()?.let { Text.Moment(it) },
        persons = persons.map { it.row() },
        lines = lines.map { it.row() },
        more = list.more,
        empty = list.lines.isEmpty(),
        canSendNow = numbers.waiting > 0,
        canSendFailedAgain = numbers.failed > 0,
    )
}

private fun OutboxLine.row() = OutboxRow(
    session,
    action,
    name,
    workflow.name,
    endpoint,
    state,
    state.words(),
    reason?.let(::reasonWords),
    nextAttemptAt?.let { text(TextId.ACTION_NEXT_ATTEMPT, Text.Moment(it)) },
    if (attempts > 0) Text.Count(CountId.ATTEMPTS, attempts) else null,
    if (mayHaveBeenDelivered) text(TextId.ACTION_MAYBE_DELIVERED) else null,
    Text.Moment(frozenAt),
)
