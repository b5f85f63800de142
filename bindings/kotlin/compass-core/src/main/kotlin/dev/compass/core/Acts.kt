package dev.compass.core

import dev.compass.core.model.Change
import dev.compass.core.model.Command
import dev.compass.core.model.CommandOutcome
import dev.compass.core.model.FieldChange
import dev.compass.core.model.FieldValue
import dev.compass.core.model.NoteChange
import dev.compass.core.model.Prefill
import dev.compass.core.model.SessionKey
import dev.compass.core.model.SessionView
import dev.compass.core.model.Start
import dev.compass.core.model.WorkflowVersion

// What a technician does, one command each. Moves take the view that the technician is looking at, so that a double tap changes nothing.

/**
 * Starts a session of a workflow, in its current version when none is named.
 *
 * @param commandId with the same id, a repeated call gives the session that the first call started: for a double tap. Without it each call
 *   starts a session.
 */
public suspend fun Compass.start(
    workflow: String,
    version: WorkflowVersion? = null,
    actor: String? = null,
    prefill: List<Prefill> = emptyList(),
    commandId: String = newCommandId(),
): CommandOutcome = start(Start(commandId, workflow, version, actor, prefill))

/** Sets one field. An empty text or an empty choice makes it "empty". */
public suspend fun Compass.setField(session: SessionKey, field: String, value: FieldValue, actor: String? = null): CommandOutcome =
    setFields(session, listOf(FieldChange(field, Change.Set(value))), actor)

/** Changes one field: sets it, clears it, or marks it "not applicable". */
public suspend fun Compass.setField(session: SessionKey, field: String, change: Change, actor: String? = null): CommandOutcome =
    setFields(session, listOf(FieldChange(field, change)), actor)

/** Clears one field: "not provided". */
public suspend fun Compass.clearField(session: SessionKey, field: String, actor: String? = null): CommandOutcome =
    setField(session, field, Change.Clear, actor)

/** Marks one field "not applicable". */
public suspend fun Compass.markNotApplicable(session: SessionKey, field: String, actor: String? = null): CommandOutcome =
    setField(session, field, Change.NotApplicable, actor)

/** Changes several fields: all of them, or none. */
public suspend fun Compass.setFields(session: SessionKey, changes: List<FieldChange>, actor: String? = null): CommandOutcome =
    run(session, listOf(Command.SetFields(changes)), actor)

/** Sets several fields: all of them, or none. An empty text or an empty choice makes a field "empty". */
public suspend fun Compass.setFields(session: SessionKey, values: Map<String, FieldValue>, actor: String? = null): CommandOutcome =
    setFields(session, values.map { (field, value) -> FieldChange(field, Change.Set(value)) }, actor)

/** Chooses an answer of the section that this view shows, and moves on. A double tap changes nothing. */
public suspend fun Compass.answer(view: SessionView, answer: String, actor: String? = null): CommandOutcome =
    answer(view.key, view.visit, answer, actor)

/** Goes back to an earlier visit of the path; to the one before when none is named. On the first visit: [ErrorCode.ALREADY_THERE]. */
public suspend fun Compass.back(view: SessionView, toVisit: Int? = null, actor: String? = null): CommandOutcome =
    back(view.key, view.visit, toVisit ?: view.before(), actor)

/**
 * Chooses an answer of the current section and moves on.
 *
 * @param visit the visit that the technician is looking at, so that a double tap changes nothing.
 */
public suspend fun Compass.answer(session: SessionKey, visit: Int, answer: String, actor: String? = null): CommandOutcome =
    run(session, listOf(Command.Answer(visit, answer)), actor)

/** Goes back to an earlier visit of the path. */
public suspend fun Compass.back(session: SessionKey, visit: Int, toVisit: Int, actor: String? = null): CommandOutcome =
    run(session, listOf(Command.Back(visit, toVisit)), actor)

/** Records that a response was used. Does not move the session. */
public suspend fun Compass.useResponse(
    session: SessionKey,
    response: String,
    actor: String? = null,
    commandId: String = newCommandId(),
): CommandOutcome = run(session, listOf(Command.UseResponse(commandId, response)), actor)

/**
 * Adds a note, also to a completed or ended session.
 *
 * @param commandId with the same id, a repeated call adds nothing: for a double tap.
 */
public suspend fun Compass.note(
    session: SessionKey,
    text: String,
    actor: String? = null,
    commandId: String = newCommandId(),
): CommandOutcome = run(session, listOf(Command.Note(commandId, text)), actor)

/** Completes the session; only on an end section. Its messages are in the outbox when this returns. */
public suspend fun Compass.complete(view: SessionView, actor: String? = null): CommandOutcome =
    complete(view.key, view.visit, actor)

/** Completes the session; only on an end section. Its messages are in the outbox when this returns. */
public suspend fun Compass.complete(session: SessionKey, visit: Int, actor: String? = null): CommandOutcome =
    run(session, listOf(Command.Complete(visit)), actor)

/** Ends the session at once, in any section. Nothing fires. */
public suspend fun Compass.end(
    session: SessionKey,
    reason: String,
    actor: String? = null,
    commandId: String = newCommandId(),
): CommandOutcome = run(session, listOf(Command.End(commandId, reason)), actor)

/** Discards the session; refused when it is completed or ended. */
public suspend fun Compass.discard(session: SessionKey, actor: String? = null): CommandOutcome =
    run(session, listOf(Command.Discard), actor)

/**
 * Changes fields and notes of a completed or ended session; [reason] stays in the record. Frozen messages do not change. If everything is there
 * already, nothing is recorded, not even the reason.
 */
public suspend fun Compass.edit(
    session: SessionKey,
    fields: List<FieldChange> = emptyList(),
    notes: List<NoteChange> = emptyList(),
    actor: String? = null,
    commandId: String = newCommandId(),
    reason: String? = null,
): CommandOutcome = run(session, listOf(Command.Edit(commandId, fields, notes, reason)), actor)

private fun SessionView.before(): Int = path.lastOrNull { it.visit < visit }?.visit ?: visit
