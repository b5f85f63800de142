package dev.compass.sample.screen.status

import dev.compass.core.model.Connectivity
import dev.compass.core.model.OutboxTotals
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
        val network = work.network
        follow(combine(network.connectivity, work.compass.observeOutboxTotals(), network.simulated) { connectivity, outbox, simulated ->
            status(connectivity, outbox).copy(simulated = if (simulated) text(TextId.STATUS_SIMULATED) else null)
        }) { show { it } }
    }

    // The strip is quiet; the screen below it says what went wrong.
    override fun StatusUiState.saying(notice: Notice?) = this

    override suspend fun take(event: StatusEvent) = when (event) {
        StatusEvent.Opened -> work.navigator.open(Screen.Outbox)
    }
}

/** What the strip says. */
internal fun status(connectivity: Connectivity, outbox: OutboxTotals): StatusUiState {
    val attention = if (outbox.needsPerson > 0) Text.Count(CountId.STATUS_NEEDS_PERSON, outbox.needsPerson.toInt()) else null
    val waiting = outbox.pending.toInt()
    return when {
        connectivity == Connectivity.Offline && waiting > 0 ->
            StatusUiState(StatusIcon.NO_SIGNAL, Text.Count(CountId.STATUS_NO_SIGNAL_WAITING, waiting), attention)
        connectivity == Connectivity.Offline -> StatusUiState(StatusIcon.NO_SIGNAL, text(TextId.STATUS_NO_SIGNAL), attention)
        waiting > 0 -> StatusUiState(StatusIcon.WAITING, Text.Count(CountId.STATUS_WAITING, waiting), attention)
        attention != null -> StatusUiState(StatusIcon.NEEDS_PERSON, attention)
        else -> StatusUiState(StatusIcon.ALL_SENT, text(TextId.STATUS_ALL_SENT))
    }
}
