public import Foundation

/// An open database: sessions, their records, and the outbox that delivers their messages. ``Compass`` is the real one; tests of an app may
/// use `FakeCompass` of `CompassCoreFakes` instead.
///
/// Every function is safe to call from any task: none blocks the main actor or Swift's cooperative pool. All errors but `CancellationError` are
/// ``CompassError``.
///
/// **Order.** Calls that write take effect one after the other, in the order in which they were made, even if each is in a task of its own:
/// `Task { set(…) }` and then `Task { answer(…) }` on the main actor are carried out in that order. The order is that of the caller's
/// actor. Calls from two actors, or from tasks without an actor, have no order except by `await`. A call is made when its line runs: in a
/// `Task`, that is after the code that made the task. In an `async` function of the app that belongs to no actor, the order is already
/// lost: make such a layer belong to the screens' actor.
///
/// A call takes its place when it is made. It is carried out even if its task is cancelled while it waits: cancelling drops only the
/// result, as a `CancellationError`. A task that was cancelled before calls nothing. ``close(isolation:)`` waits for the writes before it.
///
/// Queries run beside the writes and see committed changes: await a write before you query its effect. `flush` and the other calls of
/// delivery wait for no write. `purge` begins after the writes that were called before, and later writes go on meanwhile.
///
/// **Two forms.** Call the functions without `on`: they pass the caller's actor along, which keeps the order, and have default arguments. A
/// handle implements the functions with `on` and `matching`; a handle of your own must take its place in the order before its first
/// `await`.
///
/// ```swift
/// @MainActor final class SessionModel {
///     let compass: any CompassHandle
///     init(compass: any CompassHandle) { self.compass = compass }
/// }
/// ```
public protocol CompassHandle: AnyObject, Sendable {
    // Workflows ------------------------------------------------------------------------------------------------------------------------

    func importWorkflow(_ document: Data, on caller: isolated (any Actor)?) async throws -> ImportOutcome
    /// All versions of workflows on this phone.
    func workflows() async throws -> [WorkflowSummary]
    /// A workflow; its current version when none is named.
    func workflow(_ key: String, version: WorkflowVersion?) async throws -> Workflow
    /// The bytes of a document as they were imported.
    func workflowDocument(_ key: String, version: WorkflowVersion?) async throws -> Data
    /// All findings about a document, also about the endpoints that it names, without importing it.
    func lintWorkflow(_ document: Data) async throws -> [Finding]
    func retireWorkflow(_ key: String, version: WorkflowVersion, retired: Bool, on caller: isolated (any Actor)?) async throws
    func forgetWorkflow(_ key: String, version: WorkflowVersion, on caller: isolated (any Actor)?) async throws

    // Sessions -------------------------------------------------------------------------------------------------------------------------

    func start(_ start: Start, on caller: isolated (any Actor)?) async throws -> CommandOutcome
    func run(
        _ commands: [Command], in session: SessionKey, actor: String?, commandId: String?, on caller: isolated (any Actor)?
    ) async throws -> CommandOutcome
    func saveDraft(_ field: String, text: String, in session: SessionKey, on caller: isolated (any Actor)?) async throws
    func saveNoteDraft(_ text: String, in session: SessionKey, on caller: isolated (any Actor)?) async throws
    /// The session as its screen shows it.
    func session(_ session: SessionKey) async throws -> SessionView
    func sessions(matching filter: SessionFilter, page: String?, limit: UInt32) async throws -> SessionPage
    /// The record of a session: what happened, in order of time, and the status of its actions.
    func record(_ session: SessionKey) async throws -> SessionRecord
    /// Totals over the sessions on this phone.
    func totals() async throws -> Totals
    func delete(_ session: SessionKey, on caller: isolated (any Actor)?) async throws -> DeleteReport
    /// The files that sessions on this phone refer to (attachments and signatures), as hashes of their bytes, sorted. It includes files
    /// that an edit or another file took out of a session, because its record keeps them, and files named by a message that a redaction kept, until the
    /// message is delivered or abandoned. The app may remove all other files that it keeps for this database.
    func files() async throws -> [String]

    // Endpoints and the integration ------------------------------------------------------------------------------------------------------

    func setIntegrationEnabled(_ enabled: Bool, on caller: isolated (any Actor)?) async throws
    /// Whether the webhooks integration is on.
    func integrationEnabled() async throws -> Bool
    func putEndpoint(_ endpoint: Endpoint, on caller: isolated (any Actor)?) async throws
    func archiveEndpoint(_ key: String, on caller: isolated (any Actor)?) async throws
    func setEndpointEnabled(_ key: String, enabled: Bool, on caller: isolated (any Actor)?) async throws
    /// All endpoints with their status, sorted by key.
    func endpoints() async throws -> [EndpointStatus]
    /// Sends a small test message to an endpoint at once. Takes up to 30 s, the timeout of an attempt. While the handle is quiesced nothing
    /// is sent, as with `flush`, and the outcome is `interrupted`.
    func testDelivery(_ endpoint: String) async throws -> TestDelivery

    // Actions and the outbox -------------------------------------------------------------------------------------------------------------

    func send(
        _ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome
    func sendCorrected(
        _ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome
    func abandon(
        _ action: String, in session: SessionKey, actor: String, reason: String, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome
    func abandonSession(
        _ session: SessionKey, actor: String, reason: String, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome
    func redact(
        _ target: RedactionTarget, in session: SessionKey, actor: String, reason: String, pending: RedactPending, bodies: RedactBodies,
        commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RedactOutcome
    func sendFailedAgain(actor: String?, on caller: isolated (any Actor)?) async throws -> UInt32
    func sendNotFired(matching filter: NotFiredFilter, actor: String?, on caller: isolated (any Actor)?) async throws -> UInt32
    func replay(
        _ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome
    func replaySession(
        _ session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome
    func replaySent(
        matching filter: ReplayFilter, actor: String?, page: String?, on caller: isolated (any Actor)?
    ) async throws -> ReplayReport
    func outbox(matching filter: OutboxFilter, page: String?, limit: UInt32) async throws -> OutboxPage
    /// The outbox in numbers.
    func outboxTotals() async throws -> OutboxTotals
    /// The message that an action would send now.
    func preview(_ action: String, in session: SessionKey) async throws -> MessagePreview
    /// The frozen body of a message; none after it was removed.
    func deliveryBody(_ id: DeliveryId) async throws -> String?

    // Delivery ---------------------------------------------------------------------------------------------------------------------------

    /// Delivers due messages until there are no more or the deadline has passed. Cancelling the task cancels running attempts, releases
    /// claimed messages whose attempt did not begin, and throws `CancellationError` within two seconds.
    ///
    /// After `quiesce`, and after the last ``Hold`` was released, nothing leaves before the next `resume`: it ends as `quiesced`. So in the
    /// background take a hold, as in `held { try await compass.flush() }`.
    ///
    /// - Parameters:
    ///   - deadline: How long it may take. An attempt begins only while three seconds or more are left, so a shorter flush sends nothing; one
    ///     that had less than 20 s is tried again at once if no answer came.
    ///   - urgent: A person asks for it. Each endpoint then gets one attempt a minute, even during a pause or when the app has reported that
    ///     there is no network. Messages that need a person still wait.
    func flush(deadline: Duration, urgent: Bool) async throws -> FlushReport
    /// Delivers in the background until `stopDelivery`, `quiesce`, `close` or the release of the last ``Hold``: for an app in the foreground.
    /// It goes on with the database that `whileClosed`, `restore` or `erase` leaves, also after a refusal. While the handle is quiesced, it
    /// begins with the next `resume`.
    func startDelivery() async throws
    /// Ends the delivery that `startDelivery` began; waits up to two seconds for running attempts.
    func stopDelivery() async throws
    /// When `flush` will have something to do: for a scheduler.
    func nextDue() async throws -> NextDue
    func secretsChanged(on caller: isolated (any Actor)?) async throws
    func setConnectivity(_ connectivity: Connectivity, on caller: isolated (any Actor)?) async throws

    // The life of the handle -------------------------------------------------------------------------------------------------------------

    /// The app is in the foreground again, or a background job begins. When the last hold is released, the handle quiesces.
    func resume() async throws -> Hold
    /// The app is about to be suspended: within two seconds no attempt runs and no file lock is left, even while there are holds.
    func quiesce() async throws
    /// Checks whether another process has changed the database; true if so, and then the sequences query again. Call it when the app comes
    /// to the foreground.
    func refresh() async throws -> Bool
    func purge(olderThan age: Duration, on caller: isolated (any Actor)?) async throws -> PurgeReport
    func purgeAllBefore(_ time: Date, actor: String, on caller: isolated (any Actor)?) async throws -> PurgeReport
    /// Writes a copy of the database to a file that does not exist yet, in a folder that exists (``CompassError/Code/invalidArgument``
    /// otherwise); ``Compass/restore(from:options:)`` puts it back. Like the database in ``DatabaseFolder``, the copy can be read from the first unlock on (iOS) and is left out of the system's backups (Apple's
    /// platforms), in any folder. If you move or copy it, you must decide about both again.
    func backup(to file: URL) async throws
    /// Checks the whole database: the file, and all its data against the event log.
    func check() async throws -> CheckReport
    func close(on caller: isolated (any Actor)?) async throws
    func whileClosed<Value: Sendable>(
        on caller: isolated (any Actor)?, _ work: @escaping @Sendable (_ file: URL) async throws -> Value
    ) async throws -> Value
    func restore(from copy: URL, discardUndelivered: DiscardUndelivered?, on caller: isolated (any Actor)?) async throws
    func erase(discardUndelivered: DiscardUndelivered?, on caller: isolated (any Actor)?) async throws

    // What changes -----------------------------------------------------------------------------------------------------------------------

    /// The session as its screen shows it, again after each change.
    func observeSession(_ session: SessionKey) -> Updates<SessionView>
    func observeSessions(matching filter: SessionFilter, limit: UInt32) -> Updates<SessionPage>
    /// The record of a session, again after each change, also of what its messages wait for: an endpoint, or the integration.
    func observeRecord(_ session: SessionKey) -> Updates<SessionRecord>
    /// Totals over the sessions, again after each change.
    func observeTotals() -> Updates<Totals>
    func observeOutbox(matching filter: OutboxFilter, limit: UInt32) -> Updates<OutboxPage>
    /// The outbox in numbers, again after each change: for the line that says "3 wait, 1 needs you".
    func observeOutboxTotals() -> Updates<OutboxTotals>
    /// All endpoints with their status, again after each change.
    func observeEndpoints() -> Updates<[EndpointStatus]>
    /// Whether the webhooks integration is on, again after each change.
    func observeIntegration() -> Updates<Bool>
    /// All versions of workflows on this phone, again after each change.
    func observeWorkflows() -> Updates<[WorkflowSummary]>
    /// When `flush` will have something to do, again after each change in the database: for a scheduler. It gives no value when only time
    /// passes.
    func observeNextDue() -> Updates<NextDue>
    /// Messages that have just failed for good, or just begun to wait for a person, when this handle notices it: for a notification. Each
    /// is given once, to the streams that exist at that moment; for a slow reader the newest thousand are kept. Messages that failed or
    /// waited before are in the outbox and its totals.
    func observeAttention() -> AsyncStream<Attention>
}
