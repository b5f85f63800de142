public import CompassCore
public import Foundation

/// What ``FakeCompass`` shows, and the calls that it got.
///
/// ```swift
/// fake.change { $0.views[view.key] = view }
/// ```
public struct FakeState: Sendable {
    /// Views, by session.
    public var views: [SessionKey: SessionView] = [:]
    /// What `observeSession` gives instead of the view, as a query does that began before a command and ended after it.
    public var late: [SessionKey: SessionView] = [:]
    /// The view that an answer leads to, by the key of the answer; for the others the view stays.
    public var answers: [String: SessionView] = [:]
    /// Records, by session.
    public var records: [SessionKey: SessionRecord] = [:]
    /// The sessions that `delete` has removed.
    var deleted: Set<SessionKey> = []
    /// The list of sessions; filters take of it what they name, but nothing is searched for text.
    public var sessions: [SessionSummary] = []
    /// The outbox; filters take of it what they name.
    public var outbox: [OutboxItem] = []
    /// The outbox in numbers.
    public var outboxTotals = OutboxTotals(pending: 0, failed: 0, oldestUnsentAt: nil, unsentBytes: 0, needsPerson: 0)
    /// Totals over the sessions.
    public var totals = Totals.fixture()
    /// The list of workflows; imported ones are added.
    public var workflows: [WorkflowSummary] = []
    /// Workflows by key, the same for every version; one without sections for the others of ``workflows``.
    public var workflowsByKey: [String: Workflow] = [:]
    /// The documents that were imported, by the key of the workflow.
    public var documents: [String: Data] = [:]
    /// The findings about every document.
    public var findings: [Finding] = []
    /// The endpoints.
    public var endpoints: [EndpointStatus] = []
    /// Whether the integration is on.
    public var integrationEnabled = true
    /// The result of a test message.
    public var testDelivery = TestDelivery.fixture()
    /// The messages that actions would send, by the key of the action; `unknown_action` for the others.
    public var previews: [String: MessagePreview] = [:]
    /// The bodies of messages, by their id; none for the others of ``outbox`` and ``records``.
    public var bodies: [DeliveryId: String] = [:]
    /// Whether a message is in flight when it is abandoned.
    public var inFlight = false
    /// The report of `flush`.
    public var flushReport = FlushReport(end: .drained, attempts: 0, sent: 0, retrying: 0, failed: 0, pending: 0)
    /// How many flushes were urgent so far.
    public var urgentFlushes = 0
    /// The report of `purge`.
    public var purgeReport = PurgeReport.fixture()
    /// The result of `nextDue`.
    public var nextDue = NextDue(at: nil, atNeedsUnmetered: nil, whenOnline: nil, needsPerson: false)
    /// What the app has reported of the network.
    public var connectivity = Connectivity.unknown
    /// Every call throws this while it is set, and sequences end, as if the database were gone. `refuseNext` refuses one call.
    public var failure: CompassError?
    /// The names of the calls so far, in order.
    public var calls: [String] = []
    /// The calls that write, in order, with their arguments; refused ones too.
    public var writes: [FakeCompass.Write] = []
    /// Every command of `run` that was not refused, in order.
    public var commands: [Command] = []
}
