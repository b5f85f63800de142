package dev.compass.sample.gateway

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow

/**
 * What the screens ask of the core, in the app's own words. The real one is [CompassGateway]; [FakeGateway] serves tests and previews.
 *
 * Functions may be called from any thread and throw [GatewayFailure]. A command that returned is on flash. Flows give the current value
 * first and end with a [GatewayFailure] where there is none.
 */
interface FieldGateway : DatabaseGateway {
    // Workflows ----------------------------------------------------------------------------------------------------------------------

    /** The current version of every workflow in use. */
    fun workflows(): Flow<List<WorkflowItem>>

    /** The outline of a workflow's current version, kept current. */
    fun outline(workflow: String): Flow<WorkflowOutline>

    /** Takes a workflow document over. */
    suspend fun importWorkflow(document: ByteArray): Imported

    /** Adds a "Send Message" action to a section: a new revision on this phone. */
    suspend fun addMessage(workflow: String, section: String, name: String, endpoint: String): WorkflowItem

    /** Removes an action from a section: a new revision on this phone. */
    suspend fun removeAction(workflow: String, section: String, action: String): WorkflowItem

    // A session ----------------------------------------------------------------------------------------------------------------------

    /** Starts a session of the current version. [command] makes a repeated call harmless. */
    suspend fun start(workflow: String, actor: String?, command: String): SessionNow

    /** A session, kept current. */
    fun session(key: String): Flow<SessionNow>

    /** A session as it is now. */
    suspend fun now(session: String): SessionNow

    /** The outline of the version that a session runs on. */
    suspend fun outlineOf(session: SessionNow): WorkflowOutline

    /** Reads what a person typed for a field of this session. */
    suspend fun read(session: String, field: String, text: String): Reading

    /** Keeps half-typed text; an empty text forgets it. */
    suspend fun saveDraft(session: String, field: String, text: String)

    /** Keeps a half-typed note; an empty text forgets it. */
    suspend fun saveNoteDraft(session: String, text: String)

    /** Sets, clears or marks fields: all of them, or none. */
    suspend fun setFields(session: String, changes: List<FieldChange>, actor: String?): Done

    /** Sets [changes] and chooses an answer, together or not at all. */
    suspend fun answer(session: String, visit: Int, answer: String, changes: List<FieldChange>, actor: String?): Done

    /** Goes back to an earlier visit. */
    suspend fun back(session: String, visit: Int, toVisit: Int, actor: String?): Done

    /** Notes that a response was used. */
    suspend fun useResponse(session: String, response: String, actor: String?, command: String): Done

    /** Adds a note. */
    suspend fun note(session: String, text: String, actor: String?, command: String): Done

    /** Completes the session. Its messages are in the outbox when this returns. */
    suspend fun complete(session: String, visit: Int, actor: String?): Done

    /** Ends the session at once; nothing is sent. */
    suspend fun end(session: String, reason: String, actor: String?, command: String): Done

    /** Throws the session away. */
    suspend fun discard(session: String, actor: String?)

    // Records ------------------------------------------------------------------------------------------------------------------------

    /** The first [limit] sessions, newest first, kept current. */
    fun sessions(query: SessionQuery, limit: Int): Flow<SessionList>

    /** The record of a session, kept current. */
    fun record(key: String): Flow<RecordNow>

    /** Edits fields and notes (by number) of a finished session. */
    suspend fun edit(session: String, fields: List<FieldChange>, notes: Map<Int, String>, actor: String?, command: String)

    /** Sends an action (again). */
    suspend fun send(session: String, action: String, actor: String?, command: String)

    /** Sends a failed action with the edited values. */
    suspend fun sendCorrected(session: String, action: String, actor: String?, command: String)

    /** Gives an undelivered message up; true when a try was under way, so that it may still arrive. */
    suspend fun abandon(session: String, action: String, actor: String, reason: String, command: String): Boolean

    /** The message that an action sent or would send. */
    suspend fun preview(session: String, action: String): Preview

    // The outbox and the integration -------------------------------------------------------------------------------------------------

    /** The first [limit] messages that are not delivered, oldest first, kept current. */
    fun outbox(limit: Int): Flow<OutboxList>

    /** The outbox in numbers, kept current. */
    fun outboxNumbers(): Flow<OutboxNumbers>

    /** Delivers what is due now. */
    suspend fun sendNow(): Sent

    /** Sends everything again that failed and may be; gives how many. */
    suspend fun sendFailedAgain(actor: String?): Int

    /** Whether webhooks are on, kept current. */
    fun integrationEnabled(): Flow<Boolean>

    /** Switches webhooks on or off. */
    suspend fun setIntegrationEnabled(enabled: Boolean)

    /** The endpoints, kept current. */
    fun endpoints(): Flow<List<EndpointLine>>

    /** Registers an endpoint, or changes it. */
    suspend fun putEndpoint(endpoint: EndpointLine)

    /** Switches an endpoint on or off. */
    suspend fun setEndpointEnabled(key: String, enabled: Boolean)

    /** Sends a test message now; takes up to half a minute. */
    suspend fun testDelivery(endpoint: String): TestResult

    /** The app has stored a secret. */
    suspend fun secretsChanged()

    // The phone ----------------------------------------------------------------------------------------------------------------------

    /** The network as the app last heard of it; [Signal.NONE] while offline is simulated. */
    val signal: StateFlow<Signal>

    /** Whether it is played that there is no network. */
    val simulated: StateFlow<Boolean>

    /** Plays that there is no network, or stops doing so. */
    suspend fun simulateOffline(simulate: Boolean)

    /** Numbers and codes for support: no values, no secrets, no addresses beyond their origin. */
    suspend fun diagnostics(): String

    /** Writes a copy of the database to a file that is not there yet. */
    suspend fun backup(path: String)
}

/** What can be done to the database whether or not it opens. */
interface DatabaseGateway {
    /**
     * Puts a backup in the place of the database, all of it. Refused with `undelivered` where messages would be lost, unless a person
     * gives them up. The flows go on with what is there then, also after a refusal.
     */
    suspend fun putBack(copy: String, discard: Discard? = null)

    /** Removes the database; an empty one takes its place. Refused as [putBack] is. */
    suspend fun erase(discard: Discard? = null)

    /** Writes what can still be read of the database to a file that is not there yet, unsent messages first. The database stays as it is. */
    suspend fun salvage(path: String): Salvaged
}

/** What could still be read: how many of the lines are [unsent] messages, and whether nothing had to be left out. */
data class Salvaged(val unsent: Int, val whole: Boolean)

/** Who gives undelivered messages up, and why; neither is blank. */
data class Discard(val actor: String, val reason: String)
