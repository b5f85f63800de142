import CompassInternal
public import Foundation

extension Compass {
    // Endpoints and the integration ------------------------------------------------------------------------------------------------------

    public func setIntegrationEnabled(_ enabled: Bool) async throws {
        try await commands.call { [core] in try core.setIntegrationEnabled(enabled: enabled) }
    }

    public func integrationEnabled() async throws -> Bool {
        try await commands.call { [core] in try core.integrationEnabled() }
    }

    public func putEndpoint(_ endpoint: Endpoint) async throws {
        try await commands.call { [core] in try core.putEndpoint(endpoint: endpoint) }
    }

    public func archiveEndpoint(_ key: String) async throws {
        try await commands.call { [core] in try core.archiveEndpoint(key: key) }
    }

    public func setEndpointEnabled(_ key: String, enabled: Bool) async throws {
        try await commands.call { [core] in try core.setEndpointEnabled(key: key, enabled: enabled) }
    }

    public func endpoints() async throws -> [EndpointStatus] {
        try await commands.call { [core] in try core.endpoints() }
    }

    public func testDelivery(_ endpoint: String) async throws -> TestDelivery {
        try await deliveries.call { [core] in try core.testDelivery(key: endpoint) }
    }

    // Actions and the outbox -------------------------------------------------------------------------------------------------------------

    public func send(
        _ action: String, in session: SessionKey, actor: String? = nil, commandId: String
    ) async throws -> RecordOutcome {
        try await commands.call { [core] in try core.send(session: session, action: action, actor: actor, commandId: commandId) }
    }

    public func sendCorrected(
        _ action: String, in session: SessionKey, actor: String? = nil, commandId: String
    ) async throws -> RecordOutcome {
        try await commands.call { [core] in try core.sendCorrected(session: session, action: action, actor: actor, commandId: commandId) }
    }

    public func abandon(
        _ action: String, in session: SessionKey, actor: String, reason: String, commandId: String
    ) async throws -> RecordOutcome {
        try await commands.call { [core] in
            try core.abandon(session: session, action: action, actor: actor, reason: reason, commandId: commandId)
        }
    }

    public func abandonSession(
        _ session: SessionKey, actor: String, reason: String, commandId: String
    ) async throws -> RecordOutcome {
        try await commands.call { [core] in
            try core.abandonSession(session: session, actor: actor, reason: reason, commandId: commandId)
        }
    }

    public func redact(
        _ target: RedactionTarget, in session: SessionKey, actor: String, reason: String, pending: RedactPending, bodies: RedactBodies,
        commandId: String
    ) async throws -> RedactOutcome {
        let redaction = Redaction(
            commandId: commandId, target: target, actor: actor, reason: reason, pending: pending, bodies: bodies)
        return try await commands.call { [core] in try core.redact(session: session, redaction: redaction) }
    }

    public func sendFailedAgain(actor: String? = nil) async throws -> UInt32 {
        try await commands.call { [core] in try core.sendFailedAgain(actor: actor) }
    }

    public func outbox(_ filter: OutboxFilter = .unsent, page: String? = nil, limit: UInt32 = 50) async throws -> OutboxPage {
        try await commands.call { [core] in try core.outbox(filter: filter, page: page, limit: limit) }
    }

    public func outboxTotals() async throws -> OutboxTotals {
        try await commands.call { [core] in try core.outboxTotals() }
    }

    public func preview(_ action: String, in session: SessionKey) async throws -> MessagePreview {
        try await commands.call { [core] in try core.preview(session: session, action: action) }
    }

    public func deliveryBody(_ id: DeliveryId) async throws -> String? {
        try await commands.call { [core] in try core.deliveryBody(id: id) }
    }

    // Delivery ---------------------------------------------------------------------------------------------------------------------------

    public func flush(deadline: Duration, urgent: Bool) async throws -> FlushReport {
        let cancel = CompassInternal.Cancel()
        return try await withTaskCancellationHandler {
            try await deliveries.call { [core] in
                try core.flush(deadlineMs: deadline.wholeMilliseconds, cancel: cancel, urgent: urgent)
            }
        } onCancel: {
            cancel.cancel()
        }
    }

    public func startDelivery() async throws {
        try await deliveries.call { [core] in try core.startDelivery() }
    }

    public func stopDelivery() async throws {
        try await deliveries.call { [core] in try core.stopDelivery() }
    }

    public func nextDue() async throws -> NextDue {
        try await commands.call { [core] in try core.nextDue() }
    }

    public func secretsChanged() async throws {
        try await commands.call { [core] in try core.secretsChanged() }
    }

    public func setConnectivity(_ connectivity: Connectivity) async throws {
        try await commands.call { [core] in try core.setConnectivity(connectivity: connectivity) }
    }

    // The life of the handle -------------------------------------------------------------------------------------------------------------

    public func resume() async throws -> Hold {
        // Both in tasks of their own, which nobody cancels: a hold that gets lost would keep file locks while the app is suspended.
        let hold = try await Task.detached { [core, deliveries] in try await deliveries.call { try core.resume() } }.value
        return Hold { [deliveries] in
            _ = try? await Task.detached { try await deliveries.call { hold.release() } }.value
        }
    }

    public func quiesce() async throws {
        try await deliveries.call { [core] in try core.quiesce() }
    }

    public func refresh() async throws -> Bool {
        try await commands.call { [core] in try core.refresh() }
    }

    public func purge(olderThan age: Duration) async throws -> PurgeReport {
        try await commands.call { [core] in try core.purge(olderThanMs: age.wholeMilliseconds) }
    }

    public func purgeAllBefore(_ time: Date, actor: String) async throws -> PurgeReport {
        try await commands.call { [core] in try core.purgeAllBefore(time: time, actor: actor) }
    }

    public func backup(to file: URL) async throws {
        try await commands.call { [core] in
            try core.backup(to: file.path)
            try DatabaseFolder.protectCopy(file)
        }
    }

    public func check() async throws -> CheckReport {
        try await commands.call { [core] in try core.check() }
    }
}
