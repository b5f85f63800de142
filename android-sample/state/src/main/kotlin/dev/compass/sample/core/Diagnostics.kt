package dev.compass.sample.core

import dev.compass.core.Compass
import dev.compass.core.model.Connectivity

/** Numbers and codes for support: no values, no secrets, no addresses. */
suspend fun Compass.diagnostics(network: Connectivity): String {
    val sessions = totals().sessions
    val outbox = outboxTotals()
    val due = nextDue()
    val check = check()
    val signal = when (network) {
        Connectivity.Unknown -> "unknown"
        Connectivity.Offline -> "none"
        is Connectivity.Online -> "online"
    }
    return buildString {
        appendLine("core: ${Compass.version()}")
        appendLine("signal: $signal")
        appendLine("integration: ${if (integrationEnabled()) "on" else "off"}")
        appendLine("sessions: ${sessions.inProgress} in progress, ${sessions.completed} completed, ${sessions.ended} ended")
        appendLine("outbox: ${outbox.pending} pending, ${outbox.failed} failed, ${outbox.needsPerson} for a person")
        appendLine("unsent: ${outbox.unsentBytes} bytes")
        appendLine("oldest: ${outbox.oldestUnsentAt ?: "none"}")
        appendLine("next due: ${due.at ?: "none"}, when online: ${due.whenOnline ?: "none"}")
        endpoints().forEach { status ->
            val state = if (status.enabled) "enabled" else "disabled (${status.disabledReason})"
            appendLine("endpoint ${status.endpoint.key}: $state, ${status.pending} pending, failures: ${status.consecutiveFailures}")
        }
        appendLine("check: ${check.sessions} sessions, ${check.faults.size} faults")
        check.faults.forEach { appendLine("fault: $it") }
    }
}
