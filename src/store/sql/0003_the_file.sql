-- In no release yet: may still change in place.
-- Equal bodies are stored once, what is kept is counted by the database's own age, totals are kept up to date, and commands are remembered.
--
-- `event` and `outbox` are rebuilt: a row of a table without a rowid that is longer than a quarter of a page gets its own pages, and a
-- CHECK cannot be changed. Every row is kept, and the number of every message.

-- The age of the database in milliseconds, with any wall clock; when it was last carried forward, by the wall clock.
ALTER TABLE meta ADD COLUMN age INTEGER NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN age_at INTEGER;
ALTER TABLE meta ADD COLUMN integration_was_enabled INTEGER NOT NULL DEFAULT 0 CHECK (integration_was_enabled IN (0, 1));   -- ever
-- The series in which actions are numbered: none before its first number. The hash of the id of the device that opened the file.
ALTER TABLE meta ADD COLUMN series TEXT CHECK (length(series) = 8 AND series NOT GLOB '*[^a-z2-7]*');
ALTER TABLE meta ADD COLUMN device BLOB CHECK (length(device) = 32);

-- The highest revision that a file had which this one has replaced: receivers may have it, so new ones are higher.
ALTER TABLE action ADD COLUMN revisions_before INTEGER NOT NULL DEFAULT 0 CHECK (revisions_before >= 0);

-- The age at which it finished; meaningless before. Older sessions get the age at the update, from which the database begins to count.
ALTER TABLE session ADD COLUMN finished_age INTEGER NOT NULL DEFAULT 0;

-- Why the last edit was not sent, where the document asks for that.
ALTER TABLE action ADD COLUMN edit_not_sent TEXT;

-- What was edited is compared with what was sent once the payload can be made, which no SQL can.
UPDATE session SET actions_differing = 0 WHERE NOT EXISTS (SELECT 1 FROM event WHERE session_id = session.id AND type = 'edited');
UPDATE action SET differs = 0 WHERE session_id IN (SELECT id FROM session WHERE actions_differing = 0);

-- Who purged it, if a person did; the database's age then. It is forgotten 400 days later, in milliseconds.
ALTER TABLE tombstone ADD COLUMN actor TEXT;
ALTER TABLE tombstone ADD COLUMN deleted_age INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tombstone_oldest ON tombstone (deleted_age);
DROP TRIGGER tombstone_stays;
CREATE TRIGGER tombstone_stays BEFORE DELETE ON tombstone
WHEN OLD.deleted_age >= (SELECT age FROM meta WHERE id = 1) - 34560000000
BEGIN SELECT RAISE(ABORT, 'a tombstone stays for 400 days'); END;

CREATE TABLE new_event (
    session_id   INTEGER NOT NULL REFERENCES session (id),
    seq          INTEGER NOT NULL CHECK (seq >= 1),
    type         TEXT    NOT NULL,
    v            INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    utc_offset   INTEGER NOT NULL,                     -- seconds
    actor        TEXT,
    command_id   TEXT,
    command_hash BLOB,                                 -- of the command's content, to distinguish a repeat from a reuse
    json         TEXT    NOT NULL,
    UNIQUE (session_id, seq),
    CHECK ((command_id IS NULL) = (command_hash IS NULL))
) STRICT;

-- The bytes of messages, once for any number of entries.
CREATE TABLE body (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    bytes  BLOB NOT NULL
) STRICT;

CREATE TABLE new_outbox (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    action_id        INTEGER NOT NULL REFERENCES action (id),
    session_id       INTEGER NOT NULL REFERENCES session (id),
    revision         INTEGER NOT NULL CHECK (revision >= 1),
    replay           INTEGER NOT NULL DEFAULT 0 CHECK (replay >= 0),   -- the number of this replay of a sent entry; 0: the entry itself
    -- Frozen.
    delivery_id      TEXT    NOT NULL CHECK (length(delivery_id) = 30 AND delivery_id NOT GLOB '*[^a-z0-9_]*'),
    endpoint         TEXT    NOT NULL,                 -- may name an endpoint that is not known yet
    body_sha256      BLOB    NOT NULL CHECK (length(body_sha256) = 32),
    body_size        INTEGER NOT NULL,
    workflow_version TEXT    NOT NULL,
    session_state    TEXT    NOT NULL CHECK (session_state IN ('completed', 'ended')),
    frozen_at        INTEGER NOT NULL,
    -- Delivery.
    state            TEXT    NOT NULL DEFAULT 'queued'
                             CHECK (state = 'queued' OR state = 'leased' OR state = 'sent' OR state = 'failed' OR state = 'superseded'),
    reason           TEXT,
    detail           TEXT    CHECK (detail = 'abandoned' OR detail = 'redacted' OR detail = 'restored'),   -- the cause of abandoning it
    due_at           INTEGER NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0,       -- begun; written before any byte is sent
    unknown_outcomes INTEGER NOT NULL DEFAULT 0 CHECK (unknown_outcomes BETWEEN 0 AND attempts),
    counted          INTEGER NOT NULL DEFAULT 0,       -- against the budget of this cycle
    slow_counted     INTEGER NOT NULL DEFAULT 0,
    offline_attempts INTEGER NOT NULL DEFAULT 0,       -- in a row; only delays the next attempt
    cut_short        INTEGER NOT NULL DEFAULT 0,       -- attempts in a row that were cut short
    refreshed        INTEGER NOT NULL DEFAULT 0 CHECK (refreshed = 0 OR refreshed = 1),
    resynced         INTEGER NOT NULL DEFAULT 0 CHECK (resynced IN (0, 1)),
    failing_ms       INTEGER NOT NULL DEFAULT 0,       -- how much of the budget of age this cycle has used up
    last_failure_at  INTEGER,                          -- the last one that was counted
    last_status      INTEGER,
    revived          INTEGER NOT NULL DEFAULT 0,       -- cycles begun after a failure
    cycle_counts     INTEGER NOT NULL DEFAULT 1 CHECK (cycle_counts IN (0, 1)),   -- whether the lock counts this cycle
    lease_owner      TEXT,
    lease_epoch      INTEGER NOT NULL DEFAULT 0,
    lease_until      INTEGER,
    in_flight_until  INTEGER,                          -- another attempt of it, or one of an earlier revision, may run until then
    sent_at          INTEGER,
    sent_age         INTEGER,                          -- the database's age then
    body_kept        INTEGER NOT NULL DEFAULT 1 CHECK (body_kept = 0 OR body_kept = 1),   -- may be dropped once sent
    holds_redacted   TEXT,                             -- JSON: keys of the redacted fields that its body holds
    UNIQUE (action_id, revision, replay),
    UNIQUE (delivery_id, replay),
    CHECK ((state = 'leased') = (lease_owner IS NOT NULL) AND (lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL) AND (sent_at IS NULL) = (sent_age IS NULL)),
    CHECK (state <> 'failed' OR reason IS NOT NULL),
    CHECK ((reason IS 'abandoned') = (detail IS NOT NULL)),
    CHECK (body_kept = 1 OR state = 'sent' OR replay > 0 AND reason IS 'abandoned'),
    CHECK (replay = 0 OR state <> 'superseded' AND cycle_counts = 0),
    CHECK (in_flight_until IS NULL OR state <> 'leased')
) STRICT;

-- Counts of sessions, and of their actions by status, of a workflow version and an actor; no actor is ''. Written only by triggers.
CREATE TABLE session_totals (
    workflow_id       INTEGER NOT NULL,
    actor             TEXT    NOT NULL,
    in_progress       INTEGER NOT NULL DEFAULT 0,
    completed         INTEGER NOT NULL DEFAULT 0,
    won               INTEGER NOT NULL DEFAULT 0,
    ended             INTEGER NOT NULL DEFAULT 0,
    discarded         INTEGER NOT NULL DEFAULT 0,
    actions_not_fired INTEGER NOT NULL DEFAULT 0,
    actions_pending   INTEGER NOT NULL DEFAULT 0,
    actions_sent      INTEGER NOT NULL DEFAULT 0,
    actions_failed    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (workflow_id, actor)
) STRICT, WITHOUT ROWID;

INSERT INTO new_event (session_id, seq, type, v, at, utc_offset, actor, command_id, command_hash, json)
SELECT session_id, seq, type, v, at, utc_offset, actor, command_id, command_hash, json FROM event ORDER BY session_id, seq;

INSERT OR IGNORE INTO body (sha256, bytes) SELECT body_sha256, body FROM outbox WHERE body IS NOT NULL ORDER BY id;

-- If damage made two bodies of one: the bytes that more entries have, then those of the right length, then the older ones.
UPDATE body
   SET bytes = (SELECT o.body FROM outbox o WHERE o.body_sha256 = body.sha256 AND o.body IS NOT NULL
                 GROUP BY o.body ORDER BY count(*) DESC, max(length(o.body) = o.body_size) DESC, min(o.id) LIMIT 1)
 WHERE sha256 IN (SELECT o.body_sha256 FROM outbox o JOIN body b ON b.sha256 = o.body_sha256 WHERE o.body <> b.bytes);

-- A body that was lost before it was sent counts as missing, and not as dropped.
INSERT INTO new_outbox (id, action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version, session_state,
                        frozen_at, state, reason, detail, due_at, attempts, unknown_outcomes, counted, slow_counted, offline_attempts, cut_short,
                        refreshed, resynced, failing_ms, last_failure_at, last_status, revived, cycle_counts, lease_owner, lease_epoch,
                        lease_until, sent_at, sent_age, body_kept)
SELECT id, action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version, session_state,
       frozen_at, state, reason, detail, due_at, attempts, unknown_outcomes, counted, slow_counted, offline_tries, cut_short,
       refreshed, resynced, failing_ms, last_failure_at, last_status, revived, cycle_counts, lease_owner, lease_epoch,
       lease_until, sent_at, iif(sent_at IS NULL, NULL, 0), body IS NOT NULL OR state <> 'sent'
  FROM outbox ORDER BY id;

INSERT INTO session_totals (workflow_id, actor, in_progress, completed, won, ended, discarded,
                            actions_not_fired, actions_pending, actions_sent, actions_failed)
SELECT workflow_id, coalesce(actor, ''), count(*) FILTER (WHERE state = 'in_progress'), count(*) FILTER (WHERE state = 'completed'),
       count(*) FILTER (WHERE won = 1), count(*) FILTER (WHERE state = 'ended'), count(*) FILTER (WHERE state = 'discarded'),
       sum(min(max(actions_not_fired, 0), 1000000)), sum(min(max(actions_pending, 0), 1000000)),
       sum(min(max(actions_sent, 0), 1000000)), sum(min(max(actions_failed, 0), 1000000))
  FROM session GROUP BY workflow_id, coalesce(actor, '');

UPDATE meta SET integration_was_enabled = 1 WHERE integration_enabled = 1 OR EXISTS (SELECT 1 FROM outbox);

-- A row's number is never used again, not even after the last row was deleted.
DELETE FROM sqlite_sequence WHERE name = 'new_outbox';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_outbox', seq FROM sqlite_sequence WHERE name = 'outbox';

-- The triggers of other tables that read the outbox are created again below, unchanged.
DROP TRIGGER action_status_is_projected;
DROP TRIGGER action_failed_sends_rise;
DROP TRIGGER attempt_stays;
DROP TRIGGER session_finished_is_final;
DROP INDEX session_finished;
DROP TABLE event;
DROP TABLE outbox;
ALTER TABLE new_event RENAME TO event;
ALTER TABLE new_outbox RENAME TO outbox;

-- Lists are in the order in which sessions began on this phone, which is that of their rows: a clock may have been wrong.
DROP INDEX session_newest;
DROP INDEX session_by_workflow;
DROP INDEX session_in_progress;
DROP INDEX session_pending;
DROP INDEX session_failed;
CREATE INDEX session_by_workflow ON session (workflow_id);
CREATE INDEX session_in_progress ON session (state) WHERE state = 'in_progress';
CREATE INDEX session_pending ON session (id) WHERE actions_pending > 0;
CREATE INDEX session_failed ON session (id) WHERE actions_failed > 0;
CREATE INDEX session_not_compared ON session (id) WHERE actions_differing IS NULL;

CREATE INDEX action_not_fired ON action (id) WHERE status = 'not_fired' AND reason = 'integration_off';
CREATE UNIQUE INDEX event_command ON event (command_id) WHERE command_id IS NOT NULL;
CREATE INDEX session_finished ON session (finished_age) WHERE finished_at IS NOT NULL;

CREATE INDEX outbox_due ON outbox (endpoint, replay > 0, due_at, id) WHERE state = 'queued';
CREATE INDEX outbox_fresh ON outbox (endpoint, due_at, id) WHERE state = 'queued' AND counted = 0 AND slow_counted = 0 AND replay = 0;
CREATE INDEX outbox_offline ON outbox (endpoint) WHERE state = 'queued' AND offline_attempts > 0;
CREATE INDEX outbox_leased ON outbox (lease_until, action_id) WHERE state = 'leased';
CREATE INDEX outbox_in_flight ON outbox (in_flight_until, endpoint) WHERE state = 'queued' AND in_flight_until IS NOT NULL;
CREATE INDEX outbox_still_runs ON outbox (in_flight_until, action_id) WHERE in_flight_until IS NOT NULL;
CREATE INDEX outbox_failed ON outbox (endpoint, id) WHERE state = 'failed';
-- Also entries with a damaged state: they are not known to be delivered.
CREATE INDEX outbox_unsent ON outbox (id, state) WHERE state <> 'sent' AND state <> 'superseded';
CREATE INDEX outbox_body_kept ON outbox (sent_age) WHERE state = 'sent' AND body_kept = 1;
CREATE INDEX outbox_body ON outbox (body_sha256) WHERE body_kept = 1;
CREATE INDEX outbox_session ON outbox (session_id);

-- Sessions ----------------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER session_finished_is_final BEFORE UPDATE OF state, won, finished_at, finished_age, end_reason ON session
WHEN OLD.state <> 'in_progress'
 AND (NEW.state <> OLD.state OR NEW.won IS NOT OLD.won OR NEW.finished_at <> OLD.finished_at OR NEW.finished_age <> OLD.finished_age
      OR NEW.end_reason IS NOT OLD.end_reason)
BEGIN SELECT RAISE(ABORT, 'a finished session stays finished'); END;

-- The session that is being redacted. No row stays: each refers to a row that never exists, so its transaction has to delete it.
CREATE TABLE redaction (
    session_id INTEGER PRIMARY KEY REFERENCES session (id),
    is_open    INTEGER NOT NULL DEFAULT 0 CHECK (is_open = 0) REFERENCES meta (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- During a redaction the acts of a session may change, and their command ids may be deleted.
CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
WHEN NOT EXISTS (SELECT 1 FROM redaction WHERE session_id = OLD.session_id)
  OR (NEW.session_id, NEW.seq, NEW.type, NEW.v, NEW.at, NEW.wall_at, NEW.utc_offset, NEW.actor)
     IS NOT (OLD.session_id, OLD.seq, OLD.type, OLD.v, OLD.at, OLD.wall_at, OLD.utc_offset, OLD.actor)
  OR (NEW.command_id IS NOT OLD.command_id AND NEW.command_id IS NOT NULL)
  OR (NEW.command_hash IS NOT OLD.command_hash AND NEW.command_hash IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

CREATE TRIGGER event_goes_with_its_session BEFORE DELETE ON event
WHEN NOT EXISTS (SELECT 1 FROM session s JOIN tombstone t ON t.key = s.key WHERE s.id = OLD.session_id AND s.state <> 'in_progress')
BEGIN SELECT RAISE(ABORT, 'events are deleted with their session alone'); END;

-- Totals ------------------------------------------------------------------------------------------------------------------------------

-- No session has a million actions: a count beyond that was damaged, and must not keep a change from being recorded. Nor must a total.

CREATE TRIGGER totals_of_begun AFTER INSERT ON session
BEGIN
    INSERT INTO session_totals (workflow_id, actor)
    SELECT NEW.workflow_id, coalesce(NEW.actor, '')
     WHERE NOT EXISTS (SELECT 1 FROM session_totals WHERE workflow_id = NEW.workflow_id AND actor = coalesce(NEW.actor, ''));
    UPDATE session_totals
       SET in_progress = min(max(in_progress, 0), 1000000000000) + (NEW.state = 'in_progress'),
           completed   = min(max(completed, 0), 1000000000000) + (NEW.state = 'completed'),
           won         = min(max(won, 0), 1000000000000) + (NEW.won IS 1),
           ended       = min(max(ended, 0), 1000000000000) + (NEW.state = 'ended'),
           discarded   = min(max(discarded, 0), 1000000000000) + (NEW.state = 'discarded')
     WHERE workflow_id = NEW.workflow_id AND actor = coalesce(NEW.actor, '');
END;

CREATE TRIGGER totals_of_finished AFTER UPDATE OF state, won ON session
WHEN NEW.state <> OLD.state OR NEW.won IS NOT OLD.won
BEGIN
    UPDATE session_totals
       SET in_progress = min(max(in_progress, 0), 1000000000000) + (NEW.state = 'in_progress') - (OLD.state = 'in_progress'),
           completed   = min(max(completed, 0), 1000000000000) + (NEW.state = 'completed') - (OLD.state = 'completed'),
           won         = min(max(won, 0), 1000000000000) + (NEW.won IS 1) - (OLD.won IS 1),
           ended       = min(max(ended, 0), 1000000000000) + (NEW.state = 'ended') - (OLD.state = 'ended'),
           discarded   = min(max(discarded, 0), 1000000000000) + (NEW.state = 'discarded') - (OLD.state = 'discarded')
     WHERE workflow_id = NEW.workflow_id AND actor = coalesce(NEW.actor, '');
END;

CREATE TRIGGER totals_of_actions AFTER UPDATE OF actions_not_fired, actions_pending, actions_sent, actions_failed ON session
BEGIN
    UPDATE session_totals
       SET actions_not_fired = min(max(actions_not_fired, 0), 1000000000000)
                             + min(max(NEW.actions_not_fired, 0), 1000000) - min(max(OLD.actions_not_fired, 0), 1000000),
           actions_pending   = min(max(actions_pending, 0), 1000000000000)
                             + min(max(NEW.actions_pending, 0), 1000000) - min(max(OLD.actions_pending, 0), 1000000),
           actions_sent      = min(max(actions_sent, 0), 1000000000000)
                             + min(max(NEW.actions_sent, 0), 1000000) - min(max(OLD.actions_sent, 0), 1000000),
           actions_failed    = min(max(actions_failed, 0), 1000000000000)
                             + min(max(NEW.actions_failed, 0), 1000000) - min(max(OLD.actions_failed, 0), 1000000)
     WHERE workflow_id = NEW.workflow_id AND actor = coalesce(NEW.actor, '');
END;

-- After the last session of an actor is deleted, nothing of the actor is left.
CREATE TRIGGER totals_of_deleted AFTER DELETE ON session
BEGIN
    UPDATE session_totals
       SET in_progress       = min(max(in_progress, 0), 1000000000000) - (OLD.state = 'in_progress'),
           completed         = min(max(completed, 0), 1000000000000) - (OLD.state = 'completed'),
           won               = min(max(won, 0), 1000000000000) - (OLD.won IS 1),
           ended             = min(max(ended, 0), 1000000000000) - (OLD.state = 'ended'),
           discarded         = min(max(discarded, 0), 1000000000000) - (OLD.state = 'discarded'),
           actions_not_fired = min(max(actions_not_fired, 0), 1000000000000) - min(max(OLD.actions_not_fired, 0), 1000000),
           actions_pending   = min(max(actions_pending, 0), 1000000000000) - min(max(OLD.actions_pending, 0), 1000000),
           actions_sent      = min(max(actions_sent, 0), 1000000000000) - min(max(OLD.actions_sent, 0), 1000000),
           actions_failed    = min(max(actions_failed, 0), 1000000000000) - min(max(OLD.actions_failed, 0), 1000000)
     WHERE workflow_id = OLD.workflow_id AND actor = coalesce(OLD.actor, '');
    DELETE FROM session_totals
     WHERE workflow_id = OLD.workflow_id AND actor = coalesce(OLD.actor, '')
       AND in_progress <= 0 AND completed <= 0 AND ended <= 0 AND discarded <= 0;
END;

-- Actions -----------------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER action_status_is_projected BEFORE UPDATE OF status, reason, revision ON action
WHEN NOT EXISTS (
    SELECT 1 FROM outbox
     WHERE action_id = NEW.id AND revision = NEW.revision AND replay = 0 AND reason IS NEW.reason
       AND NEW.status = CASE state WHEN 'queued' THEN 'pending' WHEN 'leased' THEN 'pending' WHEN 'superseded' THEN 'failed' ELSE state END)
BEGIN SELECT RAISE(ABORT, 'an action shows what its newest entry says'); END;

CREATE TRIGGER action_failed_sends_rise BEFORE UPDATE OF failed_sends ON action
WHEN NEW.failed_sends <> OLD.failed_sends
 AND (NEW.failed_sends <> OLD.failed_sends + 1 OR NOT EXISTS (SELECT 1 FROM outbox WHERE action_id = NEW.id AND state = 'failed'))
BEGIN SELECT RAISE(ABORT, 'failed sends rise by one, with an entry that failed'); END;

-- Numbers -----------------------------------------------------------------------------------------------------------------------------

-- The last number of an endpoint in the series, and the action that has it.
CREATE TABLE last_number (
    endpoint  TEXT    PRIMARY KEY,
    number    INTEGER NOT NULL,
    action_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER last_number_begins BEFORE INSERT ON last_number
WHEN NEW.number <> 0 OR EXISTS (SELECT 1 FROM last_number WHERE endpoint = NEW.endpoint)
BEGIN SELECT RAISE(ABORT, 'numbers begin with 1'); END;

CREATE TRIGGER last_number_rises BEFORE UPDATE ON last_number
WHEN NEW.endpoint <> OLD.endpoint OR NEW.number <> OLD.number + 1
BEGIN SELECT RAISE(ABORT, 'numbers rise by one'); END;

CREATE TRIGGER last_number_ends BEFORE DELETE ON last_number
WHEN (SELECT series FROM meta WHERE id = 1) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'numbers end with their series'); END;

CREATE TRIGGER series_ends AFTER UPDATE OF series ON meta
WHEN OLD.series IS NOT NULL AND NEW.series IS NOT OLD.series
BEGIN
    SELECT RAISE(ABORT, 'a series ends before another begins') WHERE NEW.series IS NOT NULL;
    DELETE FROM last_number;
END;

-- What is known of an action beside its rows: of a session that was deleted, and by a file that this one has replaced. The highest revision; the
-- highest one that was or may have been delivered; up to which one messages were abandoned by a restore or a deletion, were abandoned by a
-- person, and may hold a value that was redacted elsewhere (0: none); of each redacted field the last redaction that is known and the last one
-- that was carried out here, as a list of texts in JSON; the number; and until when an attempt may be in flight. It is forgotten 400 days after
-- that age of the database if the session is not there.
CREATE TABLE known_action (
    session_key     BLOB    NOT NULL CHECK (length(session_key) = 16),
    key             TEXT    NOT NULL,
    revision        INTEGER NOT NULL CHECK (revision >= 0),
    delivered       INTEGER NOT NULL CHECK (delivered BETWEEN 0 AND revision),
    restored        INTEGER NOT NULL CHECK (restored BETWEEN 0 AND revision),
    abandoned       INTEGER NOT NULL CHECK (abandoned BETWEEN 0 AND revision),
    redacted        INTEGER NOT NULL CHECK (redacted BETWEEN 0 AND revision),
    redactions      TEXT    CHECK (redactions GLOB '[[]"*"]'),
    series          TEXT    CHECK (length(series) = 8 AND series NOT GLOB '*[^a-z2-7]*'),
    sequence        INTEGER CHECK (sequence BETWEEN 1 AND 1000000000000),
    in_flight_until INTEGER,
    known_age       INTEGER NOT NULL CHECK (known_age >= 0),
    PRIMARY KEY (session_key, key),
    CHECK ((series IS NULL) = (sequence IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX known_action_oldest ON known_action (known_age);

CREATE TRIGGER action_has_no_number BEFORE INSERT ON action
WHEN NEW.series IS NOT NULL OR NEW.sequence IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an action gets its number with its first message'); END;

CREATE TRIGGER action_keeps_its_number BEFORE UPDATE OF series, sequence ON action
WHEN OLD.sequence IS NOT NULL
  OR NOT EXISTS (SELECT 1 FROM meta m, last_number n
                  WHERE m.id = 1 AND m.series = NEW.series AND n.endpoint = NEW.endpoint AND n.number = NEW.sequence AND n.action_id = NEW.id)
 AND NOT EXISTS (SELECT 1 FROM session s JOIN known_action k ON k.session_key = s.key
                  WHERE s.id = NEW.session_id AND k.key = NEW.key AND k.series = NEW.series AND k.sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'an action keeps its number, which is the next one'); END;

-- Bodies ------------------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER body_is_frozen BEFORE UPDATE ON body
BEGIN SELECT RAISE(ABORT, 'a body is frozen'); END;

CREATE TRIGGER body_is_not_replaced BEFORE INSERT ON body
WHEN EXISTS (SELECT 1 FROM body WHERE sha256 = NEW.sha256)
BEGIN SELECT RAISE(ABORT, 'a body is frozen'); END;

CREATE TRIGGER body_is_kept BEFORE DELETE ON body
WHEN EXISTS (SELECT 1 FROM outbox WHERE body_sha256 = OLD.sha256 AND body_kept = 1)
BEGIN SELECT RAISE(ABORT, 'a body stays while an entry keeps it'); END;

-- Entries -----------------------------------------------------------------------------------------------------------------------------

-- An entry belongs to its action, continues its revisions, is created as queued or failed, and has a body. A replay repeats a sent one.
CREATE TRIGGER outbox_born BEFORE INSERT ON outbox
BEGIN
    SELECT CASE
        WHEN NEW.replay > 0
         AND (NEW.state <> 'queued'
              OR NOT EXISTS (SELECT 1 FROM outbox WHERE delivery_id = NEW.delivery_id AND replay = 0 AND state = 'sent'
                                                    AND action_id = NEW.action_id AND revision = NEW.revision AND body_sha256 = NEW.body_sha256))
            THEN RAISE(ABORT, 'a replay repeats an entry that was sent')
        WHEN NEW.state NOT IN ('queued', 'failed')
          OR NEW.replay = 0 AND NEW.revision <> (SELECT max(revision, revisions_before) + 1 FROM action WHERE id = NEW.action_id)
          OR NEW.session_id IS NOT (SELECT session_id FROM action WHERE id = NEW.action_id)
            THEN RAISE(ABORT, 'an entry continues the revisions of its action and is born queued or failed')
        WHEN NEW.body_kept <> 1 OR NOT EXISTS (SELECT 1 FROM body WHERE sha256 = NEW.body_sha256)
            THEN RAISE(ABORT, 'an entry is born with its body')
    END;
END;

CREATE TRIGGER outbox_is_frozen BEFORE UPDATE OF
    id, action_id, session_id, revision, replay, delivery_id, endpoint, body_sha256, body_size, workflow_version, session_state, frozen_at ON outbox
BEGIN SELECT RAISE(ABORT, 'an entry is frozen'); END;

CREATE TRIGGER outbox_body_is_dropped BEFORE UPDATE OF body_kept ON outbox
WHEN NEW.body_kept <> OLD.body_kept AND (NEW.body_kept = 1 OR OLD.state <> 'sent' AND OLD.replay = 0)
BEGIN SELECT RAISE(ABORT, 'a body is dropped only once sent, and for good'); END;

-- The allowed changes of an entry. One trigger, because each trigger slows down every change of a row.
CREATE TRIGGER outbox_goes_on BEFORE UPDATE OF state, sent_at, sent_age, attempts, unknown_outcomes ON outbox
BEGIN
    SELECT CASE
        WHEN OLD.state = 'sent' AND (NEW.state <> 'sent' OR NEW.sent_at IS NOT OLD.sent_at OR NEW.sent_age IS NOT OLD.sent_age
                                     OR NEW.unknown_outcomes <> OLD.unknown_outcomes)
            THEN RAISE(ABORT, 'sent is final')
        WHEN NEW.state = 'sent' AND NEW.attempts = 0
            THEN RAISE(ABORT, 'nothing is sent without an attempt')
        WHEN NEW.attempts < OLD.attempts
         AND NOT (OLD.state = 'leased' AND (NEW.state = 'queued' OR NEW.state = 'failed') AND NEW.attempts = OLD.attempts - 1)
         -- Abandoned while it was claimed, and nothing had begun.
         AND NOT (OLD.in_flight_until IS NOT NULL AND NEW.in_flight_until IS NULL AND NEW.state = OLD.state
                  AND NEW.attempts = OLD.attempts - 1 AND NEW.unknown_outcomes = OLD.unknown_outcomes - 1
                  AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.outbox_id = OLD.id AND a.number = OLD.attempts))
            THEN RAISE(ABORT, 'an attempt is taken back only with the lease of its entry')
        WHEN OLD.state = 'failed' AND (NEW.state = 'queued' OR NEW.state = 'leased') AND NEW.revived <> OLD.revived + 1
            THEN RAISE(ABORT, 'a failed entry is revived on purpose or not at all')
        WHEN OLD.state = 'superseded' AND NEW.state <> 'superseded' AND NEW.state <> 'sent'
            THEN RAISE(ABORT, 'a superseded entry is not sent again')
        -- A late 2xx may still make it sent.
        WHEN NEW.state = 'superseded' AND OLD.state <> 'superseded'
         AND NOT EXISTS (SELECT 1 FROM outbox newer WHERE newer.action_id = OLD.action_id AND newer.revision > OLD.revision)
            THEN RAISE(ABORT, 'an undelivered entry is superseded, by a newer revision alone')
    END;
END;

CREATE TRIGGER outbox_undelivered_is_kept BEFORE DELETE ON outbox
WHEN NOT (OLD.state IN ('sent', 'superseded') OR (OLD.state = 'failed' AND OLD.reason IS 'abandoned'))
BEGIN SELECT RAISE(ABORT, 'an undelivered entry is never deleted'); END;

-- The visible status is a projection of the newest revision, in the same transaction. An entry created as failed was not a send.
CREATE TRIGGER outbox_inserted AFTER INSERT ON outbox
WHEN NEW.replay = 0
BEGIN
    UPDATE action
       SET revision = NEW.revision,
           status   = CASE NEW.state WHEN 'failed' THEN 'failed' ELSE 'pending' END,
           reason   = NEW.reason
     WHERE id = NEW.action_id;
END;

-- Its first message that can be sent gives an action its number, which all its revisions and replays have: the one that receivers know it by, or
-- the next one. None is given after a last number that was damaged: it must not keep a session from being completed.
CREATE TRIGGER outbox_numbered AFTER INSERT ON outbox
WHEN NEW.state = 'queued' AND NEW.replay = 0 AND (SELECT sequence FROM action WHERE id = NEW.action_id) IS NULL
 AND (SELECT series FROM meta WHERE id = 1) IS NOT NULL
 AND NOT EXISTS (SELECT 1 FROM last_number WHERE endpoint = NEW.endpoint AND number NOT BETWEEN 0 AND 1000000000000)
BEGIN
    UPDATE action
       SET (series, sequence) = (SELECT k.series, k.sequence FROM session s JOIN known_action k ON k.session_key = s.key
                                  WHERE s.id = NEW.session_id AND k.key = action.key)
     WHERE id = NEW.action_id
       AND EXISTS (SELECT 1 FROM session s JOIN known_action k ON k.session_key = s.key
                    WHERE s.id = NEW.session_id AND k.key = action.key AND k.sequence IS NOT NULL);
    INSERT INTO last_number (endpoint, number, action_id)
    SELECT NEW.endpoint, 0, 0
     WHERE NOT EXISTS (SELECT 1 FROM last_number WHERE endpoint = NEW.endpoint)
       AND (SELECT sequence FROM action WHERE id = NEW.action_id) IS NULL;
    UPDATE last_number SET number = number + 1, action_id = NEW.action_id
     WHERE endpoint = NEW.endpoint AND (SELECT sequence FROM action WHERE id = NEW.action_id) IS NULL;
    UPDATE action
       SET (series, sequence) = (SELECT m.series, n.number FROM meta m, last_number n WHERE m.id = 1 AND n.endpoint = NEW.endpoint)
     WHERE id = NEW.action_id AND sequence IS NULL;
END;

-- An attempt has ended, and later entries of its action, which have not begun, need not wait for it any more.
CREATE TRIGGER outbox_attempt_ended AFTER UPDATE OF in_flight_until, lease_until ON outbox
WHEN OLD.in_flight_until IS NOT NULL AND NEW.in_flight_until IS NULL
  OR OLD.replay > 0 AND OLD.lease_until IS NOT NULL AND NEW.lease_until IS NULL AND NEW.in_flight_until IS NULL
BEGIN
    UPDATE outbox SET in_flight_until = NULL
     WHERE action_id = NEW.action_id AND id > NEW.id AND attempts = 0 AND in_flight_until = coalesce(OLD.lease_until, OLD.in_flight_until)
       -- Unless another one that ends at the same time runs.
       AND NOT EXISTS (SELECT 1 FROM outbox runs
                        WHERE runs.action_id = NEW.action_id AND runs.id <> NEW.id AND runs.attempts > 0
                          AND coalesce(runs.lease_until, runs.in_flight_until) = coalesce(OLD.lease_until, OLD.in_flight_until));
END;

-- Nothing visible changes with a claim or its release. A send is one cycle that ended failed: abandoning is not a send, and automatic
-- revivals are not counted.
CREATE TRIGGER outbox_updated AFTER UPDATE OF state, reason ON outbox
WHEN NEW.replay = 0
 AND (NEW.reason IS NOT OLD.reason
      OR (NEW.state <> OLD.state AND NOT (NEW.state = 'leased' AND OLD.state = 'queued') AND NOT (NEW.state = 'queued' AND OLD.state = 'leased')))
BEGIN
    UPDATE action
       SET status = CASE NEW.state WHEN 'queued' THEN 'pending' WHEN 'leased' THEN 'pending' WHEN 'superseded' THEN 'failed' ELSE NEW.state END,
           reason = NEW.reason
     WHERE id = NEW.action_id AND revision = NEW.revision;
    UPDATE action
       SET failed_sends = failed_sends + 1
     WHERE NEW.state = 'failed' AND OLD.state <> 'failed' AND NEW.cycle_counts = 1 AND NEW.reason <> 'abandoned' AND id = NEW.action_id;
END;

-- A body is deleted with the last entry that keeps it.
CREATE TRIGGER outbox_gave_body_back AFTER UPDATE OF body_kept ON outbox
WHEN NEW.body_kept = 0
BEGIN
    DELETE FROM body
     WHERE sha256 = NEW.body_sha256 AND NOT EXISTS (SELECT 1 FROM outbox WHERE body_sha256 = NEW.body_sha256 AND body_kept = 1);
END;

CREATE TRIGGER outbox_deleted AFTER DELETE ON outbox
BEGIN
    DELETE FROM body
     WHERE sha256 = OLD.body_sha256 AND NOT EXISTS (SELECT 1 FROM outbox WHERE body_sha256 = OLD.body_sha256 AND body_kept = 1);
END;

-- Attempts ----------------------------------------------------------------------------------------------------------------------------

-- They are deleted with their entry: it no longer exists by then.
CREATE TRIGGER attempt_stays BEFORE DELETE ON attempt
WHEN EXISTS (SELECT 1 FROM outbox WHERE id = OLD.outbox_id)
 AND (OLD.number = 1 OR OLD.status BETWEEN 200 AND 299
      OR (SELECT count(*) FROM attempt newer WHERE newer.outbox_id = OLD.outbox_id AND newer.number > OLD.number) < 10)
BEGIN SELECT RAISE(ABORT, 'of an entry the first attempt, the newest ten and every delivery stay'); END;

-- Acts --------------------------------------------------------------------------------------------------------------------------------

-- The time of the phone's clock when an act was made, if that was before the previous act: `at` never is.
ALTER TABLE event ADD COLUMN wall_at INTEGER;

-- Ids of commands that left no event of that id: stale ones, those that changed nothing, and those of calls that made several events.
CREATE TABLE command (
    command_id   TEXT    PRIMARY KEY,
    command_hash BLOB    NOT NULL CHECK (length(command_hash) = 32),   -- of its content, to distinguish a repeat from a reuse
    session_id   INTEGER NOT NULL REFERENCES session (id),
    outcome      TEXT    NOT NULL CHECK (outcome IN ('done', 'unchanged', 'stale'))
) STRICT, WITHOUT ROWID;

CREATE INDEX command_session ON command (session_id);

CREATE TRIGGER command_is_not_changed BEFORE UPDATE ON command
BEGIN SELECT RAISE(ABORT, 'what a command came to is never changed'); END;

-- Ids of commands whose session was deleted. The hashes of their content are deleted, too.
CREATE TABLE hashed_command (
    id_hash     BLOB    PRIMARY KEY CHECK (length(id_hash) = 32),      -- HMAC-SHA-256 of the id with the install id as key
    session_key BLOB    NOT NULL CHECK (length(session_key) = 16),
    hashed_age  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX hashed_command_oldest ON hashed_command (hashed_age);

CREATE TRIGGER hashed_command_is_not_changed BEFORE UPDATE ON hashed_command
BEGIN SELECT RAISE(ABORT, 'what a command came to is never changed'); END;

-- Search ------------------------------------------------------------------------------------------------------------------------------

-- Search finds parts of words, in every session.
--
-- The index holds each piece of three characters of a text, without positions: longer parts are compared with the text itself,
-- which is stored beside it. Deleted text is removed from the index at once.

DROP TABLE session_text;

-- The plain text of each finished session, by its row.
CREATE VIRTUAL TABLE search USING fts5 (text, detail = none, columnsize = 0, tokenize = "trigram case_sensitive 1");
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
-- Small pages of the index: removing a text searches them one by one.
INSERT INTO search (search, rank) VALUES ('pgsz', 1000);

-- The hash of each of those texts when its pieces were added to the index. Removing a text removes the pieces of the current text: of one
-- that was damaged since, others would stay.
CREATE TABLE indexed_text (
    session_id INTEGER PRIMARY KEY REFERENCES session (id),
    sha256     BLOB    NOT NULL CHECK (length(sha256) = 32)
) STRICT;

-- Sessions that the next search indexes again if they have another `last_seq`. In progress: with their plain text, which changes too
-- often to be in the index. Finished: with none, because they were edited.
CREATE TABLE open_text (
    session_id INTEGER PRIMARY KEY REFERENCES session (id),
    seq        INTEGER NOT NULL,
    text       TEXT
) STRICT;
