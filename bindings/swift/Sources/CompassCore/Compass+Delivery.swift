import CompassInternal
public import Foundation

extension Compass {
    // Endpoints and the integration ------------------------------------------------------------------------------------------------------

    public func setIntegrationEnabled(_ enabled: Bool, on caller: isolated (any Actor)?) async throws {
        try await write(on: caller) { try $0.setIntegrationEnabled(enabled: enabled) }
    }

    public func integrationEnabled() async throws -> Bool {
        try await ask { try $0.integrationEnabled() }
    }

    public func putEndpoint(_ endpoint: Endpoint, on caller: isolated (any Actor)?) async throws {
        try await write(on: caller) { try $0.putEndpoint(endpoint: endpoint) }
    }

    public func archiveEndpoint(_ key: String, on caller: isolated (any Actor)?) async throws {
        try await write(on: caller) { try $0.archiveEndpoint(key: key) }
    }

    public func setEndpointEnabled(_ key: String, enabled: Bool, on caller: isolated (any Actor)?) async throws {
        try await write(on: caller) { try $0.setEndpointEnabled(key: key, enabled: enabled) }
    }

    public func endpoints() async throws -> [EndpointStatus] {
        try await ask { try $0.endpoints() }
    }

    public func testDelivery(_ endpoint: String) async throws -> TestDelivery {
        try await deliver { try $0.testDelivery(key: endpoint) }
    }

    // Actions and the outbox -------------------------------------------------------------------------------------------------------------

    public func send(
        _ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try await write(on: caller) { try $0.send(session: session, action: action, actor: actor, commandId: commandId) }
    }

    public func sendCorrected(
        _ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try await write(on: caller) { try $0.sendCorrected(session: session, action: action, actor: actor, commandId: commandId) }
    }

    public func abandon(
        _ action: String, in session: SessionKey, actor: String, reason: String, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try await write(on: caller) {
            try $0.abandon(session: session, action: action, actor: actor, reason: reason, commandId: commandId)
        }
    }

    public func abandonSession(
        _ session: SessionKey, actor: String, reason: String, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try await write(on: caller) {
            try $0.abandonSession(session: session, actor: actor, reason: reason, commandId: commandId)
        }
    }

    public func redact(
        _ target: RedactionTarget, in session: SessionKey, actor: String, reason: String, pending: RedactPending, bodies: RedactBodies,
        commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RedactOutcome {
        let redaction = Redaction(
            commandId: commandId, target: target, actor: actor, reason: reason, pending: pending, bodies: bodies)
        return try await write(on: caller) { try $0.redact(session: session, redaction: redaction) }
    }

    public func sendFailedAgain(actor: String?, on caller: isolated (any Actor)?) async throws -> UInt32 {
        try await write(on: caller) { try $0.sendFailedAgain(actor: actor) }
    }

    public func sendNotFired(matching filter: NotFiredFilter, actor: String?, on caller: isolated (any Actor)?) async throws -> UInt32 {
        try await write(on: caller) { try $0.sendNotFired(filter: filter, actor: actor) }
    }

    public func replay(
        _ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try await write(on: caller) { try $0.replay(session: session, action: action, actor: actor, commandId: commandId) }
    }

    public func replaySession(
        _ session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try await write(on: caller) { try $0.replaySession(session: session, actor: actor, commandId: commandId) }
    }

    public func replaySent(
        matching filter: ReplayFilter, actor: String?, page: String?, on caller: isolated (any Actor)?
    ) async throws -> ReplayReport {
        try await write(on: caller) { try $0.replaySent(filter: filter, actor: actor, page: page) }
    }

    public func outbox(matching filter: OutboxFilter, page: String?, limit: UInt32) async throws -> OutboxPage {
        try await ask { try $0.outbox(filter: filter, page: page, limit: limit) }
    }

    public func outboxTotals() async throws -> OutboxTotals {
        try await ask { try $0.outboxTotals() }
    }

    public func preview(_ action: String, in session: SessionKey) async throws -> MessagePreview {
        try await ask { try $0.preview(session: session, action: action) }
    }

    public func deliveryBody(_ id: DeliveryId) async throws -> String? {
        try await ask { try $0.deliveryBody(id: id) }
    }

    // Delivery ---------------------------------------------------------------------------------------------------------------------------

    public func flush(deadline: Duration, urgent: Bool) async throws -> FlushReport {
        let cancel = CompassInternal.Cancel()
        return try await withTaskCancellationHandler {
            try await deliver { try $0.flush(deadlineMs: deadline.wholeMilliseconds, cancel: cancel, urgent: urgent) }
        } onCancel: {
            cancel.cancel()
        }
    }

    public func startDelivery() async throws {
        try await deliver { [keeper] core in try keeper.ongoing.started { try core.startDelivery() } }
    }

    public func stopDelivery() async throws {
        keeper.ongoing.stopped()
        try await deliver { try $0.stopDelivery() }
    }

    public func nextDue() async throws -> NextDue {
        try await ask { try $0.nextDue() }
    }

    public func secretsChanged(on caller: isolated (any Actor)?) async throws {
        try await write(on: caller) { try $0.secretsChanged() }
    }

    public func setConnectivity(_ connectivity: Connectivity, on caller: isolated (any Actor)?) async throws {
        try await write(on: caller) { [keeper] core in
            keeper.ongoing.reported(connectivity)
            try core.setConnectivity(connectivity: connectivity)
        }
    }

    // The life of the handle -------------------------------------------------------------------------------------------------------------

    public func resume() async throws -> Hold {
        // Both in tasks of their own, which are never cancelled: a lost hold would keep file locks while the app is suspended.
        let hold = try await Task.detached { [self] in
            try await deliver { [keeper] core in try keeper.ongoing.held { try core.resume() } }
        }.value
        return Hold { [deliveries] in
            _ = try? await Task.detached { try await deliveries.call { hold.release() } }.value
        }
    }

    public func quiesce() async throws {
        keeper.ongoing.ended()
        try await deliver { try $0.quiesce() }
    }

    public func refresh() async throws -> Bool {
        try await ask { try $0.refresh() }
    }

    public func purge(olderThan age: Duration, on caller: isolated (any Actor)?) async throws -> PurgeReport {
        try await begin(on: caller) { try $0.purge(olderThanMs: age.wholeMilliseconds) }
    }

    public func purgeAllBefore(_ time: Date, actor: String, on caller: isolated (any Actor)?) async throws -> PurgeReport {
        try await begin(on: caller) { try $0.purgeAllBefore(time: time, actor: actor) }
    }

    public func backup(to file: URL) async throws {
        try await readLong {
            try $0.backup(to: file.path)
            try DatabaseFolder.protectCopy(file)
        }
    }

    public func check() async throws -> CheckReport {
        try await readLong { try $0.check() }
    }
}
