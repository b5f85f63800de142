package dev.compass.core

import dev.compass.core.model.Attention
import dev.compass.core.model.CheckReport
import dev.compass.core.model.Command
import dev.compass.core.model.CommandOutcome
import dev.compass.core.model.Connectivity
import dev.compass.core.model.DeleteReport
import dev.compass.core.model.DeliveryId
import dev.compass.core.model.Endpoint
import dev.compass.core.model.EndpointStatus
import dev.compass.core.model.Erased
import dev.compass.core.model.Finding
import dev.compass.core.model.FlushReport
import dev.compass.core.model.ImportOutcome
import dev.compass.core.model.MessagePreview
import dev.compass.core.model.NextDue
import dev.compass.core.model.NotFiredFilter
import dev.compass.core.model.OutboxFilter
import dev.compass.core.model.OutboxPage
import dev.compass.core.model.OutboxTotals
import dev.compass.core.model.PurgeReport
import dev.compass.core.model.RecordOutcome
import dev.compass.core.model.RedactBodies
import dev.compass.core.model.RedactOutcome
import dev.compass.core.model.RedactPending
import dev.compass.core.model.RedactionTarget
import dev.compass.core.model.RetryPolicy
import dev.compass.core.model.SalvageReport
import dev.compass.core.model.SessionFilter
import dev.compass.core.model.SessionKey
import dev.compass.core.model.SessionPage
import dev.compass.core.model.SessionRecord
import dev.compass.core.model.SessionView
import dev.compass.core.model.Start
import dev.compass.core.model.TestDelivery
import dev.compass.core.model.Totals
import dev.compass.core.model.Workflow
import dev.compass.core.model.WorkflowSummary
import dev.compass.core.model.WorkflowVersion
import java.io.Closeable
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.withContext

/**
 * An open database: everything a technician does, and the outbox that delivers it.
 *
 * One handle per file and process; share it. `suspend` functions may be called from any thread, the main thread included. Every function
 * throws [CompassException] and nothing else.
 *
 * Calls that write take effect in the order in which they were made, one after the other, also where each is in a coroutine of its own:
 * what `launch { setField(…) }` and then `launch { answer(…) }` begin on one thread is carried out in that order. A call has its place when
 * it is made, and is carried out also when its caller is cancelled before or while it waits: that drops the result only, so a screen that
 * closes loses no letter.
 *
 * Queries run beside the writes and see what is committed: await a write whose effect a query has to show. [flush] and what else belongs to
 * delivery waits for no write. [backup] and [purge] begin after what was written before, and let later writes go on meanwhile.
 *
 * The flows give the current value first and then each newer one, without repeating equal ones; a slow collector sees the newest only.
 * They end with the error of a query that fails (a missing session is one), and complete when the handle is closed.
 *
 * This is an interface so that an app can replace it in its tests; `compass-core-testing` has a fake.
 *
 * ```kotlin
 * val compass = Compass.open(CompassOptions(path = "/data/compass.db"))
 * compass.importWorkflow(document)
 * var view = compass.start("boiler-service", actor = "jo").view
 * view = compass.setField(view.key, "flue_temp", FieldValue.Decimal(BigDecimal("182.5"))).view
 * view = compass.answer(view, "go_on").view
 * compass.complete(view)
 * compass.flush()
 * ```
 */
public interface Compass : Closeable {
    // Workflows --------------------------------------------------------------------------------------------------------------------

    /** Imports a workflow document: JSON, format 1. The same document again changes nothing. */
    public suspend fun importWorkflow(document: ByteArray): ImportOutcome

    /** All versions on this phone. */
    public suspend fun workflows(): List<WorkflowSummary>

    /** A workflow; the current version when none is named. */
    public suspend fun workflow(key: String, version: WorkflowVersion? = null): Workflow

    /** The bytes of a document as they were imported. */
    public suspend fun workflowDocument(key: String, version: WorkflowVersion? = null): ByteArray

    /** Everything that is wrong with a document, endpoints of this phone included, without importing it. */
    public suspend fun lintWorkflow(document: ByteArray): List<Finding>

    /** Takes a version out of use, or back into it. Sessions on it go on. */
    public suspend fun retireWorkflow(key: String, version: WorkflowVersion, retired: Boolean = true)

    /**
     * Removes a version that no session on this phone uses, finished ones included; [ErrorCode.WORKFLOW_IN_USE] otherwise. It can be imported
     * again, also with other content.
     */
    public suspend fun forgetWorkflow(key: String, version: WorkflowVersion)

    // Sessions ---------------------------------------------------------------------------------------------------------------------

    /** Starts a session. The extension [start] spares you the record. */
    public suspend fun start(start: Start): CommandOutcome

    /**
     * Carries out commands in one transaction: all of them, or none; when one is stale, only new notes are kept. The extensions ([answer], [setField], [note], [complete], …) are
     * one command each. With a [commandId] for all of them, a repeated call changes nothing; without one, the commands that have no id of
     * their own are carried out again.
     */
    public suspend fun run(
        session: SessionKey,
        commands: List<Command>,
        actor: String? = null,
        commandId: String? = null,
    ): CommandOutcome

    /**
     * Keeps what is half typed in a field, also while a record is edited; an empty text forgets it. Never validated or sent, and no flow tells
     * of it.
     */
    public suspend fun saveDraft(session: SessionKey, field: String, text: String)

    /** Keeps the half-typed text of a note, until a note is added; an empty text forgets it. No flow tells of it. */
    public suspend fun saveNoteDraft(session: SessionKey, text: String)

    /** The session as its screen shows it. */
    public suspend fun session(session: SessionKey): SessionView

    /**
     * One page of the list of sessions, newest first. [page] is the `next` of the page before. A search for text first looks at what changed
     * since the last one; what it did not come to is in `notIndexed`.
     */
    public suspend fun sessions(filter: SessionFilter = NO_SESSION_FILTER, page: String? = null, limit: Int = PAGE): SessionPage

    /** The record of a session: what happened, in order, and what became of its actions. */
    public suspend fun record(session: SessionKey): SessionRecord

    /** Totals over the sessions on this phone. */
    public suspend fun totals(): Totals

    /**
     * Deletes one finished session whose messages are delivered or given up. Says which files no session refers to any more, and whether no
     * word of it is left in the file ([Erased.NOW]), or somebody still reads it, so that it is gone after a later write or when the file is
     * closed or opened again.
     */
    public suspend fun delete(session: SessionKey): DeleteReport

    /**
     * The files that sessions on this phone refer to, by the hash of their bytes: those of attachments and signatures, in order. Also files
     * that an edit has taken out of a record, which keeps them, and those that a message names that a redaction kept, until it is delivered
     * or given up. The app may remove every other file that it kept for this database.
     */
    public suspend fun files(): List<String>

    /**
     * Deletes finished sessions older than this whose messages are delivered or given up; those with an action that did not fire because the
     * integration was off stay, if it was ever on. Time is counted by the age of the database, which a clock that is set wrong does not change.
     * Says which files no session refers to any more; where it ends in an error, they are those that [files] does not list. Says whether they are gone as [delete] does.
     */
    public suspend fun purge(olderThan: Duration): PurgeReport

    /**
     * A person deletes all sessions that finished before this moment of the wall clock and whose messages are delivered or given up. Unlike
     * [purge] it takes those with an action that did not fire because the integration was off, too: what they would have sent is gone, so say so
     * before you ask.
     */
    public suspend fun purgeAllBefore(time: Instant, actor: String): PurgeReport

    // Endpoints and the integration ------------------------------------------------------------------------------------------------

    /** Turns the webhooks integration on or off. Off until it is turned on. */
    public suspend fun setIntegrationEnabled(enabled: Boolean)

    /** Whether the webhooks integration is on. */
    public suspend fun integrationEnabled(): Boolean

    /** Registers an endpoint, or changes it. */
    public suspend fun putEndpoint(endpoint: Endpoint)

    /** Takes an endpoint out of use. What waits for it keeps waiting. */
    public suspend fun archiveEndpoint(key: String)

    /** Enables or disables an endpoint. */
    public suspend fun setEndpointEnabled(key: String, enabled: Boolean)

    /** All endpoints, by key, with how they stand. */
    public suspend fun endpoints(): List<EndpointStatus>

    /** Sends a small test message to an endpoint, now. Takes up to the timeout of an attempt, 30 s. */
    public suspend fun testDelivery(endpoint: String): TestDelivery

    // Actions and the outbox -------------------------------------------------------------------------------------------------------

    /** Sends an action that did not fire, or one that failed again with the same bytes. */
    public suspend fun send(
        session: SessionKey,
        action: String,
        actor: String? = null,
        commandId: String = newCommandId(),
    ): RecordOutcome

    /** Sends a failed action with the edited values, as a new revision. */
    public suspend fun sendCorrected(
        session: SessionKey,
        action: String,
        actor: String? = null,
        commandId: String = newCommandId(),
    ): RecordOutcome

    /** Gives an undelivered message up. Where `inFlight` is true it may arrive all the same: the record tells later. */
    public suspend fun abandon(
        session: SessionKey,
        action: String,
        actor: String,
        reason: String,
        commandId: String = newCommandId(),
    ): RecordOutcome

    /** Gives all undelivered messages of a session up, as [abandon] does one; stale where there is none. */
    public suspend fun abandonSession(
        session: SessionKey,
        actor: String,
        reason: String,
        commandId: String = newCommandId(),
    ): RecordOutcome

    /**
     * Takes everything that a field ever held in the session, or a note, out of it for good: out of its record, log, half-typed text, search and
     * file. That it was redacted stands in its place, which satisfies `required` and is in no message; the record says who did it, when and
     * why. What is given later starts anew. [reason] stays in the record, so it must not say what is redacted.
     *
     * Frozen messages do not change: [pending] says what becomes of those that hold it and are not delivered, [bodies] of those that are. Bodies
     * that hold it still are in the outcome, and the record names them until they go; what was given up and holds it is not sent again, only
     * corrected. Stale where there is nothing to redact.
     * [RedactPending.CORRECT] is refused as [ErrorCode.NOT_SUPPORTED] for now.
     */
    public suspend fun redact(
        session: SessionKey,
        target: RedactionTarget,
        actor: String,
        reason: String,
        pending: RedactPending,
        bodies: RedactBodies,
        commandId: String = newCommandId(),
    ): RedactOutcome

    /** Sends everything that failed and can be sent again; gives how many. */
    public suspend fun sendFailedAgain(actor: String? = null): Int

    /**
     * Sends everything that did not fire because the integration was off, with the values as they are now; gives how many. What is larger than a
     * message may be stays. [outboxTotals] counts them.
     */
    public suspend fun sendNotFired(filter: NotFiredFilter = NotFiredFilter(), actor: String? = null): Int

    /** One page of the outbox, oldest first; without a filter what is pending or failed. [page] is the `next` of the page before. */
    public suspend fun outbox(filter: OutboxFilter = NO_OUTBOX_FILTER, page: String? = null, limit: Int = PAGE): OutboxPage

    /** What is in the outbox, in numbers. */
    public suspend fun outboxTotals(): OutboxTotals

    /** The message that an action would send now. */
    public suspend fun preview(session: SessionKey, action: String): MessagePreview

    /** The frozen body of a message; none once it was given back. */
    public suspend fun deliveryBody(id: DeliveryId): String?

    // Delivery ---------------------------------------------------------------------------------------------------------------------

    /**
     * Delivers what is due, until nothing is or [deadline] has passed. Cancelling the caller gives running attempts up, hands back what
     * did not start, and returns within two seconds.
     *
     * @param urgent a person asks for it: for each endpoint one attempt a minute is made although a pause is not over, or the app has said
     *   that there is no network. What needs a person waits all the same.
     */
    public suspend fun flush(deadline: Duration = 25.seconds, urgent: Boolean = false): FlushReport

    /** Delivers in the background until [stopDelivery], [quiesce] or [close]: for an app in the foreground. */
    public suspend fun startDelivery()

    /** Ends what [startDelivery] began; waits up to two seconds for running attempts. */
    public suspend fun stopDelivery()

    /** When [flush] will have something to do: what a scheduler asks. */
    public suspend fun nextDue(): NextDue

    /** Tells the core what the app knows of the network, with the platform's number of it, if it has one. Not stored. */
    public suspend fun setConnectivity(connectivity: Connectivity)

    /** The app has stored, changed or removed secrets: what waited for one is tried again. */
    public suspend fun secretsChanged()

    // The life of the handle -------------------------------------------------------------------------------------------------------

    /**
     * The app is in the foreground again, or a background job begins. The last hold to be released quiesces the handle. When the caller is
     * cancelled meanwhile, nothing is held.
     */
    public suspend fun resume(): Hold

    /** The app is about to be suspended: within two seconds no attempt runs and no file lock is left, even while there are holds. */
    public suspend fun quiesce()

    /** Looks whether another process has changed the database; if so the flows re-query. Call it when the app comes to the foreground. */
    public suspend fun refresh(): Boolean

    /** Writes a copy of the database to a file that is not there yet; [restore] puts it back. */
    public suspend fun backup(to: String)

    /** Checks the whole file against the log. */
    public suspend fun check(): CheckReport

    /** [close] without blocking the thread. Happens even if the caller is cancelled, as [quiesce], [stopDelivery] and `Hold.release` do. */
    public suspend fun shutDown()

    /**
     * Waits for running calls and for all writes that were called before, ends delivery, completes the flows and closes the file; again
     * does nothing. What is called later is refused with [ErrorCode.CLOSED]. Blocks for up to two seconds and for as long as the writes
     * take: not on a main thread, where [shutDown] belongs, nor on a thread of [CompassOptions.commands].
     */
    override fun close()

    // What screens watch -----------------------------------------------------------------------------------------------------------

    /** [session], kept current. */
    public fun observeSession(session: SessionKey): Flow<SessionView>

    /** The first page of [sessions], kept current. Raise [limit] to see more. */
    public fun observeSessions(filter: SessionFilter = NO_SESSION_FILTER, limit: Int = PAGE): Flow<SessionPage>

    /** [record], kept current. */
    public fun observeRecord(session: SessionKey): Flow<SessionRecord>

    /** [totals], kept current. */
    public fun observeTotals(): Flow<Totals>

    /** The first page of [outbox], kept current. Raise [limit] to see more. */
    public fun observeOutbox(filter: OutboxFilter = NO_OUTBOX_FILTER, limit: Int = PAGE): Flow<OutboxPage>

    /** [outboxTotals], kept current: for the line that says "3 wait, 1 needs you". */
    public fun observeOutboxTotals(): Flow<OutboxTotals>

    /** [endpoints], kept current. */
    public fun observeEndpoints(): Flow<List<EndpointStatus>>

    /** [workflows], kept current. */
    public fun observeWorkflows(): Flow<List<WorkflowSummary>>

    /** [integrationEnabled], kept current. */
    public fun observeIntegration(): Flow<Boolean>

    /** [nextDue], kept current with what changes in the database: for a scheduler. Time alone emits nothing. */
    public fun observeNextDue(): Flow<NextDue>

    /**
     * Messages that failed for good, or that wait for a person since, as this handle finds it out: for a notification. Each is told to those who
     * collect by then; a thousand are kept for one who is slow, the newest. What stands so already is in the outbox and its totals.
     */
    public fun observeAttention(): Flow<Attention>

    /** Where handles come from. */
    public companion object {
        /** Sessions of every state but discarded. */
        public val NO_SESSION_FILTER: SessionFilter = SessionFilter()

        /** What is pending or failed, at every endpoint. */
        public val NO_OUTBOX_FILTER: OutboxFilter = OutboxFilter()

        /** So many items are on a page unless told otherwise. */
        public const val PAGE: Int = 50

        /**
         * Opens or creates a database. Nothing runs in the background until asked. A second open of the same file in this process is
         * refused with [ErrorCode.ALREADY_OPEN]. When the caller is cancelled meanwhile, nothing stays open.
         */
        public suspend fun open(options: CompassOptions): Compass = OpenCompass.open(options)

        /**
         * A handle that is there at once, and opens the database at its first use: for dependency injection. [LazyCompass] says when it opens
         * again. Nothing is done here, so a main thread may call it.
         */
        public fun lazy(options: CompassOptions): LazyCompass = lazy { open(options) }

        /**
         * The same with a way of the app's own to open a handle, which may wrap it.
         *
         * @param open opens a handle that no one else closes. Called on [Dispatchers.Default], at each opening.
         */
        public fun lazy(open: suspend () -> Compass): LazyCompass = LazyCompass(open)

        /**
         * Puts a copy that [backup] made in the place of a database, which need not open any more, or be there. Close its handle first:
         * [ErrorCode.ALREADY_OPEN] otherwise. [open] it again afterwards.
         *
         * The copy is checked and stays as it is. A process that is killed meanwhile leaves the old database or the new one, each whole. What
         * the present file knows of messages that were given up is kept, and nothing leaves for a session that it has deleted. The file
         * before stays as `<name>.before-restore` until the database has been opened.
         *
         * Refused with [ErrorCode.UNDELIVERED] while the present file holds messages that are neither delivered nor given up and that the
         * copy does not hold, or while it cannot be read to count them, unless a person gives them up: [RestoreOptions.discardUndelivered].
         * [ErrorCode.LOCKED] while another process writes it, or has one open that is damaged. [ErrorCode.CORRUPT],
         * [ErrorCode.NOT_A_DATABASE] and [ErrorCode.NEWER_SCHEMA] say what is wrong with the copy; the last two also what is wrong with the
         * present file. Works on [Dispatchers.IO]; once begun it runs to its end, also when the caller is cancelled.
         *
         * @param from the copy.
         */
        public suspend fun restore(from: String, options: RestoreOptions): Unit =
            withContext(Dispatchers.IO) { calling { dev.compass.core.internal.restore(from, options.forCore()) } }

        /**
         * Removes a database and everything beside it, the file that [restore] kept included. What was in it is gone; copies made elsewhere
         * stay. Close its handle first: [ErrorCode.ALREADY_OPEN] otherwise. A database that is not there is no error.
         *
         * Refused with [ErrorCode.UNDELIVERED] while it holds messages that are neither delivered nor given up, or while it cannot be read to
         * count them, and with [ErrorCode.LOCKED] while another process has it open. Works on [Dispatchers.IO]; once begun it runs to its
         * end, also when the caller is cancelled.
         *
         * @param path the database file.
         * @param discardUndelivered a person gives the messages up that are not delivered.
         */
        public suspend fun erase(path: String, discardUndelivered: DiscardUndelivered? = null): Unit =
            withContext(Dispatchers.IO) { calling { dev.compass.core.internal.erase(path, discardUndelivered?.forCore()) } }

        /**
         * Writes what can still be read of a database to a new file, which its owner alone may read, as JSON Lines: one row per line, messages
         * that are neither delivered nor given up first, each under `unsent` with its session, its action and its frozen body; then every other
         * row under the name of its table. Works also where the database does not open, and beside an open handle; its file stays as it is.
         * The new file is whole, or there is none.
         *
         * [ErrorCode.NOT_A_DATABASE] and [ErrorCode.CORRUPT] where nothing can be read; [ErrorCode.INVALID_ARGUMENT] where there is no
         * database, or a file of the new name already. Works on [Dispatchers.IO]; once begun it runs to its end, also when the caller is
         * cancelled.
         *
         * @param path the database file.
         * @param to the new file. It holds what technicians typed.
         */
        public suspend fun salvage(path: String, to: String): SalvageReport =
            withContext(Dispatchers.IO) { calling { dev.compass.core.internal.salvage(path, to) } }

        /** The version of the core. Loads the library: not on a main thread before the first [open]. */
        public fun version(): String = calling { dev.compass.core.internal.version() }

        /** When to try again and when to stop, unless told otherwise. Loads the library: not on a main thread before the first [open]. */
        public fun defaultRetryPolicy(): RetryPolicy = calling { dev.compass.core.internal.defaultRetryPolicy() }
    }
}
