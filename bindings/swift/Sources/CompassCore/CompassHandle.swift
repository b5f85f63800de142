public import Foundation

/// What an open database can do. ``Compass`` is the real one; tests of an app may use `FakeCompass` of `CompassCoreTesting` instead.
///
/// Every function is safe to call from any task: none blocks the main actor or Swift's cooperative pool. All errors but `CancellationError` are
/// ``CompassError``.
///
/// **Order.** Calls that write take effect in the order in which they were made, also where each has a task of its own: a value, and then the tap
/// on an answer, each in a `Task` of the main actor, arrive so. The order is that of the caller's actor; calls from two actors, or from tasks of
/// none, have no order but that of `await`. A call is made when its line is reached: in a `Task`, that is after the code that made the task;
/// in an `async` function of the app's own that is bound to no actor, it is after a hop that loses the order. Let such a layer stand on the screens'
/// actor.
///
/// A write that was called is carried out, also if its task is cancelled while it waits for its turn: cancelling drops only its result, as a
/// `CancellationError`. A task that was cancelled before calls nothing. ``close(isolation:)`` waits for the writes before it.
///
/// A purge begins in its turn, and later writes go on meanwhile. Queries run beside the writes, and see those that were awaited before;
/// `flush` and all of delivery run beside both.
///
/// **Two forms.** Call the functions without `on`: those give the caller's actor along, which keeps the order, and leave out what may be left out.
/// Those with `on` and `matching` are what a handle implements; a handle of your own takes its place in the order before its first `await`.
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
    /// All versions on this phone.
    func workflows() async throws -> [WorkflowSummary]
    /// A workflow; the current version when none is named.
    func workflow(_ key: String, version: WorkflowVersion?) async throws -> Workflow
    /// The bytes of a document as they were imported.
    func workflowDocument(_ key: String, version: WorkflowVersion?) async throws -> Data
    /// Everything that is wrong with a document, endpoints of this phone included, without importing it.
    func lintWorkflow(_ document: Data) async throws -> [Finding]
    func retireWorkflow(_ key: String, version: WorkflowVersion, retired: Bool, on caller: isolated (any Actor)?) async throws
    func forgetWorkflow(_ key: String, version: WorkflowVersion, on caller: isolated (any Actor)?) async throws

    // Sessions -------------------------------------------------------------------------------------------------------------------------

    func start(_ start: Start, on caller: isolated (any Actor)?) async throws -> CommandOutcome
    func run(
        _ commands: [Command], in session: SessionKey, actor: String?, commandId: String?, on caller: isolated (any Actor)?
    ) async throws -> CommandOutcome
    func saveDraft(_ text: String, field: String, in session: SessionKey, on caller: isolated (any Actor)?) async throws
    func saveNoteDraft(_ text: String, in session: SessionKey, on caller: isolated (any Actor)?) async throws
    /// The session as its screen shows it.
    func session(_ session: SessionKey) async throws -> SessionView
    func sessions(matching filter: SessionFilter, page: String?, limit: UInt32) async throws -> SessionPage
    /// The record of a session.
    func record(_ session: SessionKey) async throws -> SessionRecord
    /// Totals over the sessions on this phone.
    func totals() async throws -> Totals
    func delete(_ session: SessionKey, on caller: isolated (any Actor)?) async throws -> DeleteReport
    /// The files that sessions on this phone refer to, by the hash of their bytes: those of attachments and signatures, in order. Also files
    /// that an edit has taken out of a record, which keeps them, and those that a message names that a redaction kept, until it is delivered
    /// or given up. The app may remove every other file that it kept for this database.
    func files() async throws -> [String]

    // Endpoints and the integration ------------------------------------------------------------------------------------------------------

    func setIntegrationEnabled(_ enabled: Bool, on caller: isolated (any Actor)?) async throws
    /// Whether the webhooks integration is on.
    func integrationEnabled() async throws -> Bool
    func putEndpoint(_ endpoint: Endpoint, on caller: isolated (any Actor)?) async throws
    func archiveEndpoint(_ key: String, on caller: isolated (any Actor)?) async throws
    func setEndpointEnabled(_ key: String, enabled: Bool, on caller: isolated (any Actor)?) async throws
    /// All endpoints, by key, with how they stand.
    func endpoints() async throws -> [EndpointStatus]
    /// Sends a small test message to an endpoint, now.
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
    func outbox(matching filter: OutboxFilter, page: String?, limit: UInt32) async throws -> OutboxPage
    /// What is in the outbox.
    func outboxTotals() async throws -> OutboxTotals
    /// The message that an action would send now.
    func preview(_ action: String, in session: SessionKey) async throws -> MessagePreview
    /// The frozen body of a message; none once it was given back.
    func deliveryBody(_ id: DeliveryId) async throws -> String?

    // Delivery ---------------------------------------------------------------------------------------------------------------------------

    /// Delivers what is due, until nothing is, or the deadline. Cancelling the task gives up the running attempts, returns what they had
    /// claimed, and throws `CancellationError`.
    ///
    /// - Parameter urgent: A person asks for it: for each endpoint one attempt a minute is made although a pause is not over, or the app has
    ///   said that there is no network. What needs a person waits all the same.
    func flush(deadline: Duration, urgent: Bool) async throws -> FlushReport
    /// Delivers in the background until `stopDelivery`, `quiesce` or `close`.
    func startDelivery() async throws
    /// Ends what `startDelivery` began.
    func stopDelivery() async throws
    /// When `flush` will have something to do.
    func nextDue() async throws -> NextDue
    func secretsChanged(on caller: isolated (any Actor)?) async throws
    func setConnectivity(_ connectivity: Connectivity, on caller: isolated (any Actor)?) async throws

    // The life of the handle -------------------------------------------------------------------------------------------------------------

    /// The app is in the foreground, or a background job begins. Undone when the last hold is released.
    func resume() async throws -> Hold
    /// The app is about to be suspended: within two seconds no attempt runs and no file lock is left.
    func quiesce() async throws
    /// Looks whether another process has changed the database; true if so. Sequences then ask again.
    func refresh() async throws -> Bool
    func purge(olderThan age: Duration, on caller: isolated (any Actor)?) async throws -> PurgeReport
    func purgeAllBefore(_ time: Date, actor: String, on caller: isolated (any Actor)?) async throws -> PurgeReport
    /// Writes a copy of the database to a file that is not there yet; ``Compass/restore(from:options:)`` puts it back. As the database of
    /// ``DatabaseFolder``, the copy can be read from the first unlock on (iOS) and is left out of the system's own backups (Apple's
    /// platforms), wherever it lies; who moves or copies it elsewhere decides anew.
    func backup(to file: URL) async throws
    /// Checks the whole file against the log.
    func check() async throws -> CheckReport
    func close(on caller: isolated (any Actor)?) async throws

    // What changes -----------------------------------------------------------------------------------------------------------------------

    /// A session as its screen shows it, again after each change.
    func observeSession(_ session: SessionKey) -> Updates<SessionView>
    func observeSessions(matching filter: SessionFilter, limit: UInt32) -> Updates<SessionPage>
    /// The record of a session, again after each change.
    func observeRecord(_ session: SessionKey) -> Updates<SessionRecord>
    /// Totals over the sessions, again after each change.
    func observeTotals() -> Updates<Totals>
    func observeOutbox(matching filter: OutboxFilter, limit: UInt32) -> Updates<OutboxPage>
    /// What is in the outbox, again after each change.
    func observeOutboxTotals() -> Updates<OutboxTotals>
    /// The endpoints and how their delivery stands, again after each change.
    func observeEndpoints() -> Updates<[EndpointStatus]>
    /// Whether the webhooks integration is on, again after each change.
    func observeIntegration() -> Updates<Bool>
    /// All versions of workflows on this phone, again after each change.
    func observeWorkflows() -> Updates<[WorkflowSummary]>
    /// When delivery has something to do next, again after each change in the database: for a scheduler. Time alone gives nothing.
    func observeNextDue() -> Updates<NextDue>
    /// Messages that failed for good, or that wait for a person since, as this handle finds it out: for a notification. Each is told once, to
    /// those who listen by then; a thousand are kept for one who is slow, the newest. What stands so already is in the outbox and its totals.
    func observeAttention() -> AsyncStream<Attention>
}
