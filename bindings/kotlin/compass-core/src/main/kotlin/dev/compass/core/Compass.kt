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
import dev.compass.core.model.ReplayFilter
import dev.compass.core.model.ReplayReport
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
 * An open database: sessions, their records, and the outbox that delivers their messages.
 *
 * One handle per file and process; share it. `suspend` functions may be called from any thread, the main thread included. Every function
 * throws [CompassException] and nothing else.
 *
 * Calls that write take effect one after the other, in the order in which they were made, even if each is in a coroutine of its own:
 * `launch { setField(…) }` and then `launch { answer(…) }` on one thread are carried out in that order. A call takes its place when it is
 * made. It is carried out even if its caller is cancelled before or while it waits: cancelling drops only the result, so no typed letter is
 * lost when a screen closes.
 *
 * Queries run beside the writes and see committed changes: await a write before you query its effect. [flush] and the other calls of
 * delivery wait for no write. [backup] and [purge] begin after the writes that were called before, and later writes go on meanwhile.
 *
 * The flows emit the current value first, and then each newer value that differs; a slow collector gets only the newest. They end with the
 * error of a query that fails (a missing session, for example), and complete when the handle is closed.
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

    /** Imports a workflow document: JSON, format 1. Importing the same document again changes nothing. */
    public suspend fun importWorkflow(document: ByteArray): ImportOutcome

    /** All versions of workflows on this phone. */
    public suspend fun workflows(): List<WorkflowSummary>

    /** A workflow; its current version when none is named. An extension takes the version that a session names. */
    public suspend fun workflow(key: String, version: WorkflowVersion? = null): Workflow

    /** The bytes of a document as they were imported. */
    public suspend fun workflowDocument(key: String, version: WorkflowVersion? = null): ByteArray

    /** All findings about a document, also about the endpoints that it names, without importing it. */
    public suspend fun lintWorkflow(document: ByteArray): List<Finding>

    /** Takes a version out of use, or brings it back. Its sessions go on. */
    public suspend fun retireWorkflow(key: String, version: WorkflowVersion, retired: Boolean = true)

    /**
     * Removes a version that no session on this phone uses, not even a finished one; [ErrorCode.WORKFLOW_IN_USE] otherwise. It can be
     * imported again, also with other content.
     */
    public suspend fun forgetWorkflow(key: String, version: WorkflowVersion)

    // Sessions ---------------------------------------------------------------------------------------------------------------------

    /** Starts a session. The extension [start] takes the parts of [Start] as arguments. */
    public suspend fun start(start: Start): CommandOutcome

    /**
     * Carries out commands in one transaction: all of them, or none. When one is stale, only new notes are kept. The extensions ([answer],
     * [setField], [note], [complete], …) are one command each. With one [commandId] for all commands, a repeated call changes nothing;
     * without it, commands that have no id of their own are carried out again.
     */
    public suspend fun run(
        session: SessionKey,
        commands: List<Command>,
        actor: String? = null,
        commandId: String? = null,
    ): CommandOutcome

    /**
     * Keeps the half-typed text of a field, at most 256 KiB, also while a record is edited; an empty text removes it. It is never validated or
     * sent, stops no answer and no completing, and the flows do not emit because of it. Setting or clearing the field removes it, and so does
     * the end of the session: before [complete], show what [record] has as `draft` in its fields.
     */
    public suspend fun saveDraft(session: SessionKey, field: String, text: String)

    /**
     * Keeps the half-typed text of a note, until a note is added or the session is over; an empty text removes it. The flows do not emit
     * because of it.
     */
    public suspend fun saveNoteDraft(session: SessionKey, text: String)

    /** The session as its screen shows it. */
    public suspend fun session(session: SessionKey): SessionView

    /**
     * One page of the list of sessions, newest first. [page] is the `next` of the page before; [limit] is from 1 to 500
     * ([ErrorCode.INVALID_ARGUMENT] otherwise). A search for text first reads the sessions that changed since the last search; `notIndexed`
     * is the number of those that it did not reach.
     */
    public suspend fun sessions(filter: SessionFilter = SessionFilter(), page: String? = null, limit: Int = 50): SessionPage

    /** The record of a session: what happened, in order of time, and the status of its actions. */
    public suspend fun record(session: SessionKey): SessionRecord

    /** Totals over the sessions on this phone. */
    public suspend fun totals(): Totals

    /**
     * Deletes one finished session whose messages are delivered or abandoned; [ErrorCode.UNDELIVERED] otherwise, [ErrorCode.NOT_DELETABLE]
     * while it is in progress. The report lists the files that no session refers to any
     * more. It also says whether the session is already gone from the database file ([Erased.NOW]), or goes after a later write or when the
     * file is closed or opened again, because somebody still reads it.
     */
    public suspend fun delete(session: SessionKey): DeleteReport

    /**
     * The files that sessions on this phone refer to (attachments and signatures), as hashes of their bytes, sorted. It includes files that
     * an edit or another file took out of a session, because its record keeps them, and files named by a message that a redaction kept, until
     * the message is delivered or abandoned. The app may remove all other files that it keeps for this database.
     */
    public suspend fun files(): List<String>

    /**
     * Deletes finished sessions that are older than this and whose messages are delivered or abandoned. Sessions with an action that did
     * not fire because the integration was off stay, if it was ever on. Time is counted by the age of the database, which a wrong clock of
     * the phone does not change. The report lists the files that no session refers to any more; after an error, they are those that [files]
     * does not list. It also says whether the sessions are gone from the database file, as the report of [delete] does.
     */
    public suspend fun purge(olderThan: Duration): PurgeReport

    /**
     * Deletes, for a person, all sessions that finished before this moment of the wall clock and whose messages are delivered or abandoned.
     * Unlike [purge] it also deletes sessions with an action that did not fire because the integration was off. The messages of such
     * actions can never be sent then: say so before you ask the person.
     */
    public suspend fun purgeAllBefore(time: Instant, actor: String): PurgeReport

    // Endpoints and the integration ------------------------------------------------------------------------------------------------

    /** Turns the webhooks integration on or off. It is off until it is turned on. */
    public suspend fun setIntegrationEnabled(enabled: Boolean)

    /** Whether the webhooks integration is on. */
    public suspend fun integrationEnabled(): Boolean

    /** Registers an endpoint, or changes it. */
    public suspend fun putEndpoint(endpoint: Endpoint)

    /** Takes an endpoint out of use. Messages that wait for it keep waiting. */
    public suspend fun archiveEndpoint(key: String)

    /** Enables or disables an endpoint. */
    public suspend fun setEndpointEnabled(key: String, enabled: Boolean)

    /** All endpoints with their status, sorted by key. */
    public suspend fun endpoints(): List<EndpointStatus>

    /**
     * Sends a small test message to an endpoint at once. Takes up to 30 s, the timeout of an attempt. While the handle is quiesced nothing is
     * sent, as with [flush], and the outcome is `interrupted`.
     */
    public suspend fun testDelivery(endpoint: String): TestDelivery

    // Actions and the outbox -------------------------------------------------------------------------------------------------------

    /** Sends an action that did not fire, or sends a failed action again with the same bytes. */
    public suspend fun send(
        session: SessionKey,
        action: String,
        actor: String? = null,
        commandId: String = newCommandId(),
    ): RecordOutcome

    /**
     * Sends an action with the edited values, as a new revision; [ErrorCode.NOTHING_CORRECTED] if its newest message says the same. An
     * earlier revision that is not sent is superseded, one that is sent stays sent. An attempt that is in flight may still arrive.
     */
    public suspend fun sendCorrected(
        session: SessionKey,
        action: String,
        actor: String? = null,
        commandId: String = newCommandId(),
    ): RecordOutcome

    /** Abandons an undelivered message. When `inFlight` is true it may still arrive; the record shows it later. */
    public suspend fun abandon(
        session: SessionKey,
        action: String,
        actor: String,
        reason: String,
        commandId: String = newCommandId(),
    ): RecordOutcome

    /** Abandons all undelivered messages of a session; stale when there is none. */
    public suspend fun abandonSession(
        session: SessionKey,
        actor: String,
        reason: String,
        commandId: String = newCommandId(),
    ): RecordOutcome

    /**
     * Removes everything that a field ever held in the session, or a note, for good: from its record, event log, half-typed text, search
     * and file. The mark "redacted" takes its place; it satisfies `required` and is in no message. The record says who did it, when and
     * why. Values that are given later are kept. [reason] stays in the record, so it must not contain what is redacted.
     *
     * Frozen messages do not change: [pending] decides about undelivered messages that hold the redacted text, [bodies] about delivered
     * ones. Bodies that still hold it are in the outcome, and the record names them until they are removed. Those of messages that were
     * abandoned or superseded, by this call too, stay in the file until the session is deleted or purged. An abandoned message that holds it is
     * not sent again, only corrected. Copies that [backup] made before still hold it. Stale when there is nothing to redact.
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

    /** Sends all failed actions again that can be sent again; returns how many. */
    public suspend fun sendFailedAgain(actor: String? = null): Int

    /**
     * Sends all actions that did not fire because the integration was off, with their current values; returns how many. An action whose
     * message would be too large stays as it is. [outboxTotals] counts the actions that did not fire. [ErrorCode.UNKNOWN_ENDPOINT] for a key
     * that no endpoint, message or action has.
     */
    public suspend fun sendNotFired(filter: NotFiredFilter = NotFiredFilter(), actor: String? = null): Int

    /**
     * Sends the newest delivered message of an action once more, with the same id and bytes, for a receiver that has lost it. The message
     * stays sent; `Action.replays` shows the replay, which can be abandoned. Stale while a replay of it waits. [ErrorCode.BODY_DROPPED] if the
     * body is no longer on the phone.
     */
    public suspend fun replay(
        session: SessionKey,
        action: String,
        actor: String? = null,
        commandId: String = newCommandId(),
    ): RecordOutcome

    /** The same for every action of a session that has a delivered message, except those whose body was dropped. Stale if there is none. */
    public suspend fun replaySession(session: SessionKey, actor: String? = null, commandId: String = newCommandId()): RecordOutcome

    /**
     * The same for what was delivered to an endpoint, oldest first, at most 1,000 messages in a call. [page] is the `next` of the call
     * before. They are sent after all messages that were never delivered. The endpoint may be unregistered; [ErrorCode.UNKNOWN_ENDPOINT] for
     * a key that no endpoint, message or action has.
     */
    public suspend fun replaySent(filter: ReplayFilter, actor: String? = null, page: String? = null): ReplayReport

    /**
     * One page of the outbox, oldest first; without a filter the pending and failed messages. An abandoned message is a failed one that needs
     * no person: it stays in the list, and [outboxTotals] does not count it. A key that no endpoint has gives an empty page. [page] is the
     * `next` of the page before; [limit] is from 1 to 500 ([ErrorCode.INVALID_ARGUMENT] otherwise).
     */
    public suspend fun outbox(filter: OutboxFilter = OutboxFilter(), page: String? = null, limit: Int = 50): OutboxPage

    /** The outbox in numbers. */
    public suspend fun outboxTotals(): OutboxTotals

    /** The message that an action would send now. */
    public suspend fun preview(session: SessionKey, action: String): MessagePreview

    /** The frozen body of a message; none after it was removed. */
    public suspend fun deliveryBody(id: DeliveryId): String?

    // Delivery ---------------------------------------------------------------------------------------------------------------------

    /**
     * Delivers due messages until there are no more or [deadline] has passed. Cancelling the caller cancels running attempts, releases
     * claimed messages whose attempt did not begin, and returns within two seconds.
     *
     * After [quiesce], and after the last [Hold] was released, nothing leaves before the next [resume]: it ends as `QUIESCED`. So in the
     * background take a hold, as in `held { flush() }`.
     *
     * @param deadline how long it may take. An attempt begins only while three seconds or more are left, so a shorter flush sends nothing; one
     *   that had less than 20 s is tried again at once if no answer came.
     * @param urgent a person asks for it. Each endpoint then gets one attempt a minute, even during a pause or when the app has reported
     *   that there is no network. Messages that need a person still wait.
     */
    public suspend fun flush(deadline: Duration = 25.seconds, urgent: Boolean = false): FlushReport

    /**
     * Delivers in the background until [stopDelivery], [quiesce], [close] or the release of the last [Hold]: for an app in the foreground. It
     * goes on with the database that [whileClosed], [restore] or [erase] leaves, also after a refusal. While the handle is quiesced, it begins
     * with the next [resume].
     */
    public suspend fun startDelivery()

    /** Ends the delivery that [startDelivery] began; waits up to two seconds for running attempts. */
    public suspend fun stopDelivery()

    /** When [flush] will have something to do: for a scheduler. */
    public suspend fun nextDue(): NextDue

    /**
     * Reports what the app knows of the network, with the platform's number of the network, if it has one. It is not stored in the file; the
     * handle remembers it for each database that it opens. While nothing was reported, every endpoint is tried over any network, also one that
     * wants an unmetered one. Flows of records, messages and endpoints query again, because what messages wait for depends on it.
     */
    public suspend fun setConnectivity(connectivity: Connectivity)

    /** The app has stored, changed or removed secrets: messages that waited for one are tried again. */
    public suspend fun secretsChanged()

    // The life of the handle -------------------------------------------------------------------------------------------------------

    /**
     * The app is in the foreground again, or a background job begins. When the last hold is released, the handle quiesces. If the caller is
     * cancelled meanwhile, nothing is held.
     */
    public suspend fun resume(): Hold

    /** The app is about to be suspended: within two seconds no attempt runs and no file lock is left, even while there are holds. */
    public suspend fun quiesce()

    /**
     * Checks whether another process has changed the database; true if so, and then the flows query again. Call it when the app comes to
     * the foreground.
     */
    public suspend fun refresh(): Boolean

    /**
     * Writes a copy of the database to a file that does not exist yet, in a folder that exists ([ErrorCode.INVALID_ARGUMENT] otherwise);
     * [restore] puts it back.
     */
    public suspend fun backup(to: String)

    /** Checks the whole database: the file, and all its data against the event log. */
    public suspend fun check(): CheckReport

    /**
     * [close] without blocking the thread. It is carried out even if the caller is cancelled, like [quiesce], [stopDelivery] and
     * `Hold.release`.
     */
    public suspend fun shutDown()

    /**
     * Waits for running calls and for all writes that were called before, ends delivery, completes the flows and closes the file. Closing
     * again does nothing. Later calls are refused with [ErrorCode.CLOSED]. Blocks for up to two seconds and for as long as the writes take.
     * Do not call it on a main thread (use [shutDown]) or on a thread of [CompassOptions.commandDispatcher].
     */
    override fun close()

    /**
     * Closes the database after the writes that were called before, does [work] with its file, and opens it again if it was open before, even
     * if [work] has failed; otherwise, or if it does not open now, the next call opens it. Calls wait meanwhile, so [work] must not call this
     * handle. The flows, the holds, delivery and what was reported of the network go on with the next database. It runs to its end, even if the
     * caller is cancelled. The database need not be open, and may be damaged.
     *
     * ```kotlin
     * compass.whileClosed { path -> File(path).copyTo(copy) }
     * ```
     *
     * @throws Exception the exception that [work] throws.
     */
    public suspend fun <T> whileClosed(work: suspend (path: String) -> T): T

    /**
     * `Compass.restore` of this handle's database, as [whileClosed] does it: calls wait, and go on with the copy. After a refusal the
     * database is as it was.
     *
     * @param from the copy.
     * @param discardUndelivered a person abandons the messages that are not delivered and not in the copy.
     */
    public suspend fun restore(from: String, discardUndelivered: DiscardUndelivered? = null): Unit =
        whileClosed { path -> Compass.restore(from, RestoreOptions(path, discardUndelivered)) }

    /**
     * `Compass.erase` of this handle's database, as [whileClosed] does it: calls wait, and go on with an empty one. After a refusal the
     * database is as it was. Sessions in progress, actions that did not fire and edits that were not sent are lost without a refusal.
     *
     * @param discardUndelivered a person abandons the messages that are not delivered.
     */
    public suspend fun erase(discardUndelivered: DiscardUndelivered? = null): Unit =
        whileClosed { path -> Compass.erase(path, discardUndelivered) }

    // What screens watch -----------------------------------------------------------------------------------------------------------

    /** [session], again after each change. */
    public fun observeSession(session: SessionKey): Flow<SessionView>

    /** The first page of [sessions], again after each change. Raise [limit] to see more, up to 500: pages after that come from [sessions]. */
    public fun observeSessions(filter: SessionFilter = SessionFilter(), limit: Int = 50): Flow<SessionPage>

    /** [record], again after each change, also of what its messages wait for: an endpoint, or the integration. */
    public fun observeRecord(session: SessionKey): Flow<SessionRecord>

    /** [totals], again after each change. */
    public fun observeTotals(): Flow<Totals>

    /** The first page of [outbox], again after each change. Raise [limit] to see more, up to 500: pages after that come from [outbox]. */
    public fun observeOutbox(filter: OutboxFilter = OutboxFilter(), limit: Int = 50): Flow<OutboxPage>

    /** [outboxTotals], again after each change: for the line that says "3 wait, 1 needs you". */
    public fun observeOutboxTotals(): Flow<OutboxTotals>

    /** [endpoints], again after each change. */
    public fun observeEndpoints(): Flow<List<EndpointStatus>>

    /** [workflows], again after each change. */
    public fun observeWorkflows(): Flow<List<WorkflowSummary>>

    /** [integrationEnabled], again after each change. */
    public fun observeIntegration(): Flow<Boolean>

    /** [nextDue], again after each change in the database: for a scheduler. It does not emit when only time passes. */
    public fun observeNextDue(): Flow<NextDue>

    /**
     * Messages that have just failed for good, or just begun to wait for a person, when this handle notices it: for a notification. Each is
     * emitted once, to those who collect at that moment; for a slow collector the newest thousand are kept. Messages that failed or waited
     * before are in the outbox and its totals.
     */
    public fun observeAttention(): Flow<Attention>

    /** Opens handles, and works on databases that are not open. */
    public companion object {
        /**
         * Opens or creates a database. Nothing runs in the background until the app starts it. A second open of the same file in this
         * process is refused with [ErrorCode.ALREADY_OPEN]. If the caller is cancelled meanwhile, nothing stays open.
         */
        public suspend fun open(options: CompassOptions): Compass = OpenCompass.open(options)

        /**
         * Returns at once a handle that opens the database at its first use: for dependency injection. [LazyCompass] says when it opens
         * again. This call does no work, so a main thread may make it.
         */
        public fun lazy(options: CompassOptions): LazyCompass = lazy({ options.path }) { open(options) }

        /**
         * The same with the app's own function to open a handle, which may wrap it.
         *
         * @param path the database file, for [whileClosed]. Called on [Dispatchers.Default].
         * @param open opens a handle on it that no one else closes. Called on [Dispatchers.Default], at each opening.
         */
        public fun lazy(path: suspend () -> String, open: suspend () -> Compass): LazyCompass = LazyCompass(path, open)

        /**
         * Replaces a database with a copy that [backup] made. The database may be damaged or missing. Close its handle first:
         * [ErrorCode.ALREADY_OPEN] otherwise. [open] it again afterwards.
         *
         * The copy is checked and does not change. If the process is killed meanwhile, either the old or the new database is there,
         * complete. Messages that were abandoned in the old database stay abandoned, and nothing is sent for a session that was deleted in
         * it. Everything else is as it was when the copy was made: what was redacted since is there again (redact it again), edits are
         * undone, and messages that were sent since leave once more. The old file stays as `<name>.before-restore` until the new database
         * has been opened.
         *
         * Refused with [ErrorCode.UNDELIVERED] while the old database holds messages that are neither delivered nor abandoned and not in
         * the copy, or cannot be read to count them, unless a person abandons them: [RestoreOptions.discardUndelivered]. [ErrorCode.LOCKED]
         * while another process writes to it or, if it is damaged, has it open. [ErrorCode.CORRUPT], [ErrorCode.NOT_A_DATABASE] and
         * [ErrorCode.NEWER_SCHEMA] say what is wrong with the copy; the last two also what is wrong with the old database. Runs on
         * [Dispatchers.IO]; once begun it runs to its end, even if the caller is cancelled.
         *
         * @param from the copy.
         */
        public suspend fun restore(from: String, options: RestoreOptions): Unit =
            withContext(Dispatchers.IO) { calling { dev.compass.core.internal.restore(from, options.forCore()) } }

        /**
         * Removes a database and all files beside it, also the file that [restore] kept. Copies in other places stay. Close its handle
         * first: [ErrorCode.ALREADY_OPEN] otherwise. A missing database is not an error.
         *
         * Refused with [ErrorCode.UNDELIVERED] while it holds messages that are neither delivered nor abandoned, or cannot be read to count
         * them, and with [ErrorCode.LOCKED] while another process has it open. Nothing else stops it: sessions in progress, actions that did
         * not fire and edits that were not sent are lost. Runs on [Dispatchers.IO]; once begun it runs to its end, even if the caller is
         * cancelled.
         *
         * @param path the database file.
         * @param discardUndelivered a person abandons the messages that are not delivered.
         */
        public suspend fun erase(path: String, discardUndelivered: DiscardUndelivered? = null): Unit =
            withContext(Dispatchers.IO) { calling { dev.compass.core.internal.erase(path, discardUndelivered?.forCore()) } }

        /**
         * Writes what can still be read of a database to a new file as JSON Lines, one row per line. Only the owner of the file may read
         * it. Messages that are neither delivered nor abandoned come first, each under `unsent` with its session, its action and the hash of
         * its frozen body; then the bodies under `body`, and every other row under the name of its table. This also works when the database
         * does not open, and beside an open handle; the database does not change. The new file is complete, or it does not exist.
         *
         * [ErrorCode.NOT_A_DATABASE] and [ErrorCode.CORRUPT] when nothing can be read; [ErrorCode.INVALID_ARGUMENT] when there is no
         * database, or already a file of the new name. Runs on [Dispatchers.IO]; once begun it runs to its end, even if the caller is
         * cancelled.
         *
         * @param path the database file.
         * @param to the new file. It holds what technicians typed.
         */
        public suspend fun salvage(path: String, to: String): SalvageReport =
            withContext(Dispatchers.IO) { calling { dev.compass.core.internal.salvage(path, to) } }

        /** The version of the core. Loads the library: not on a main thread before the first [open]. */
        public fun version(): String = calling { dev.compass.core.internal.version() }

        /** When to try again and when to stop, by default. Loads the library: not on a main thread before the first [open]. */
        public fun defaultRetryPolicy(): RetryPolicy = calling { dev.compass.core.internal.defaultRetryPolicy() }
    }
}
