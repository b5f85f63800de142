package dev.compass.sample.screen.status

import dev.compass.sample.gateway.OutboxNumbers
import dev.compass.sample.gateway.Signal
import dev.compass.sample.nav.Screen
import dev.compass.sample.screen.Notice
import dev.compass.sample.screen.StateModel
import dev.compass.sample.screen.Workplace
import dev.compass.sample.text.CountId
import dev.compass.sample.text.Text
import dev.compass.sample.text.TextId
import dev.compass.sample.text.text
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.combine

/** The strip on every screen. */
class StatusModel(private val work: Workplace, scope: CoroutineScope) :
    StateModel<StatusUiState, StatusEvent>(StatusUiState(StatusIcon.OPENING, text(TextId.STATUS_OPENING)), scope) {
    init {
        val gateway = work.gateway
        follow(combine(gateway.signal, gateway.outboxNumbers(), gateway.simulated) { signal, outbox, simulated ->
            status(signal, outbox).copy(simulated = if (simulated) text(TextId.STATUS_SIMULATED) else null)
        }) { show { it } }
    }

    // The strip is quiet; the screen below it says what went wrong.
    override fun StatusUiState.saying(notice: Notice?) = this

    override suspend fun take(event: StatusEvent) = when (event) {
        StatusEvent.Opened -> work.navigator.open(Screen.Outbox)
    }
}

/** What the strip says. */
internal fun status(signal: Signal, outbox: OutboxNumbers): StatusUiState {
    val attention = if (outbox.needsPerson > 0) Text.Count(CountId.STATUS_NEEDS_PERSON, outbox.needsPerson) else null
    val waiting = outbox.waiting
    return when {
        signal == Signal.NONE && waiting > 0 ->
            StatusUiState(StatusIcon.NO_SIGNAL, Text.Count(CountId.STATUS_NO_SIGNAL_WAITING, waiting), attention)
        signal == Signal.NONE -> StatusUiState(StatusIcon.NO_SIGNAL, text(TextId.STATUS_NO_SIGNAL), attention)
        waiting > 0 -> StatusUiState(StatusIcon.WAITING, Text.Count(CountId.STATUS_WAITING, waiting), attention)
        attention != null -> StatusUiState(StatusIcon.NEEDS_PERSON, attention)
        else -> StatusUiState(StatusIcon.ALL_SENT, text(TextId.STATUS_ALL_SENT))
    }
}
