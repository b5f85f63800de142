import CompassCore
import Foundation

/// A value and what becomes of it.
public typealias Flow<Value: Sendable> = AsyncThrowingStream<Value, any Error>

extension AsyncThrowingStream where Failure == any Error, Element: Sendable {
    /// The value as it is now.
    func first() async throws -> Element? {
        for try await value in self { return value }
        return nil
    }
}

/// What the app asks of the core. `CompassGateway` is the real one, `FakeGateway` the one of tests and previews.
///
/// A command that is refused throws a `GatewayFailure` and has changed nothing. A command that adds something takes an id (`command`), so
/// that repeating it is harmless. A flow gives the current value first, then one for each change.
///
/// On the main actor, as the screens are: commands take effect in the order in which screens give them, each in a task of its own. A gateway bound to no
/// actor would lose that order on the way to the core.
@MainActor
public protocol FieldGateway: DatabaseGateway {
    func workflows() -> Flow<[WorkflowItem]>
    func outline(of workflow: String) -> Flow<WorkflowOutline>
    func importWorkflow(_ document: Data) async throws -> Imported
    /// Adds a "Send Message" action to a section, as a new revision on this phone.
    func addMessage(to section: String, of workflow: String, name: String, endpoint: String) async throws -> WorkflowItem
    func removeAction(_ action: String, from section: String, of workflow: String) async throws -> WorkflowItem

    func start(_ workflow: String, actor: String?, command: String) async throws -> SessionNow
    func session(_ key: String) -> Flow<SessionNow>
    func now(_ session: String) async throws -> SessionNow
    /// The version that the session began with.
    func outline(of session: SessionNow) async throws -> WorkflowOutline
    func saveDraft(_ text: String, field: String, session: String) async throws
    /// A half-typed note; an empty text forgets it.
    func saveNoteDraft(_ text: String, session: String) async throws
    func setFields(_ changes: [FieldChange], session: String, actor: String?) async throws -> Done
    /// Sets the fields and moves on, both or neither.
    func answer(_ answer: String, changes: [FieldChange], session: String, visit: UInt32, actor: String?) async throws -> Done
    func back(to target: UInt32, session: String, visit: UInt32, actor: String?) async throws -> Done
    func useReply(_ reply: String, session: String, actor: String?, command: String) async throws -> Done
    func note(_ text: String, session: String, actor: String?, command: String) async throws -> Done
    func complete(_ session: String, visit: UInt32, actor: String?) async throws -> Done
    func end(_ session: String, reason: String, actor: String?, command: String) async throws -> Done
    func discard(_ session: String, actor: String?) async throws

    func sessions(_ filter: SessionFilter, limit: Int) -> Flow<SessionPage>
    func record(_ session: String) -> Flow<RecordNow>
    func edit(_ session: String, fields: [FieldChange], notes: [UInt32: String], actor: String?, command: String) async throws
    func send(_ action: String, corrected: Bool, session: String, actor: String?, command: String) async throws
    /// Gives an undelivered message up; true when a try was under way, so that it may still arrive.
    func abandon(_ action: String, session: String, actor: String, reason: String, command: String) async throws -> Bool
    func look(at action: String, session: String) async throws -> MessageLook

    func outbox(limit: Int) -> Flow<OutboxPage>
    func outboxNumbers() -> Flow<OutboxNumbers>
    func sendNow() async throws -> SentNow
    func sendFailedAgain(actor: String?) async throws -> Int
    func integrationEnabled() -> Flow<Bool>
    func setIntegrationEnabled(_ enabled: Bool) async throws
    func endpoints() -> Flow<[EndpointLine]>
    func putEndpoint(_ endpoint: EndpointLine) async throws
    func setEndpoint(_ key: String, enabled: Bool) async throws
    func testDelivery(to endpoint: String) async throws -> TestResult
    func secretsChanged() async throws

    func signal() -> Flow<Signal>
    /// Whether "no signal" is played.
    func simulated() -> Flow<Bool>
    func simulateOffline(_ simulate: Bool) async throws
    /// For support: counts and codes, no value of any field.
    func diagnostics() async throws -> String
    func backup(to file: URL) async throws
}

/// What can be done to the database whether or not it opens.
@MainActor
public protocol DatabaseGateway: Sendable {
    /// Puts a backup in the place of the database, all of it. Refused with `undelivered` where messages would be lost, unless a person
    /// gives them up. The flows go on with what is there then, also after a refusal.
    func putBack(_ copy: URL, discarding: Discard?) async throws
    /// Removes the database; an empty one takes its place. Refused as `putBack` is.
    func erase(discarding: Discard?) async throws
    /// Writes what can still be read of the database to a file that is not there yet, unsent messages first. The database stays as it is.
    func salvage(to file: URL) async throws -> Salvaged
}

/// What could still be read: how many of the lines are unsent messages, and whether nothing had to be left out.
public struct Salvaged: Hashable, Sendable {
    public let unsent: Int, whole: Bool
}
