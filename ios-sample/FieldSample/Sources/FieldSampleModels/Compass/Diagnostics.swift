import CompassCore
import Foundation

extension CompassHandle {
    /// For support: counts and codes, no value of any field.
    func diagnostics(_ network: PhoneNetwork.State) async throws -> String {
        let sessions = try await totals().sessions
        let outbox = try await outboxTotals()
        let due = try await nextDue()
        let check = try await check()
        let integration = try await integrationEnabled() ? "on" : "off"
        var lines = [
            "core: \(Compass.version)",
            "network: \(network.now)\(network.simulated ? ", simulated" : "")",
            "integration: \(integration)",
            "sessions: \(sessions.inProgress) in progress, \(sessions.completed) completed, \(sessions.ended) ended",
            "outbox: \(outbox.pending) pending, \(outbox.failed) failed, \(outbox.needsPerson) for a person, \(outbox.unsentBytes) bytes",
            "next due: \(due.at.map { "\($0)" } ?? "none")",
        ]
        for status in try await endpoints() {
            let state = status.enabled ? "enabled" : "disabled (\(status.disabledReason ?? "by a person"))"
            lines.append("endpoint \(status.endpoint.key): \(state), \(status.pending) pending, \(status.consecutiveFailures) failures in a row")
        }
        lines.append("check: \(check.sessions) sessions, \(check.faults.count) faults")
        return (lines + check.faults.map { "fault: \($0)" }).joined(separator: "\n") + "\n"
    }
}
