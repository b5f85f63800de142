-- Delivery decides anew: what its new rules must remember, and triggers for what the first schema left open.
--
-- `session`, `action` and `outbox` are built anew, because a CHECK cannot be changed; every row, rowid and sequence is kept. Foreign keys
-- are off meanwhile, and checked before the commit. A list of three or more words would be a temporary B-tree at each change of a row, so
-- those conditions are written with OR; a query that relies on a partial index repeats the index's condition as it stands here.

ALTER TABLE meta ADD COLUMN configuration INTEGER NOT NULL DEFAULT 0;   -- one more with each change that claimed entries must obey

-- What an endpoint is failing for, since when, and on how many networks it was seen.
ALTER TABLE endpoint ADD COLUMN failing_reason TEXT;
ALTER TABLE endpoint ADD COLUMN failing_since INTEGER;
ALTER TABLE endpoint ADD COLUMN failing_networks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN failing_needs_person INTEGER NOT NULL DEFAULT 0 CHECK (failing_needs_person IN (0, 1));
ALTER TABLE endpoint ADD COLUMN last_urgent_at INTEGER;      -- when a person had the last attempt through a pause
ALTER TABLE endpoint ADD COLUMN last_urgent_pause INTEGER;   -- and the end of that pause
ALTER TABLE endpoint ADD COLUMN asked_until INTEGER;         -- the end of the longest pause that the receiver asked for

CREATE TABLE new_session (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    key               BLOB    NOT NULL UNIQUE CHECK (length(key) = 16),
    workflow_id       INTEGER NOT NULL REFERENCES workflow (id),
    state             TEXT    NOT NULL CHECK (state = 'in_progress' OR state = 'completed' OR state = 'ended' OR state = 'discarded'),
    won               INTEGER CHECK (won IN (0, 1)),
    actor             TEXT,
    started_at        INTEGER NOT NULL,
    finished_at       INTEGER,
    end_reason        TEXT,
    section_name      TEXT    NOT NULL,                -- of the current visit, for lists
    last_visit        INTEGER NOT NULL,
    last_seq          INTEGER NOT NULL,
    -- How many of its actions have each status; written by triggers alone.
    actions_not_fired INTEGER NOT NULL DEFAULT 0,
    actions_pending   INTEGER NOT NULL DEFAULT 0,
    actions_sent      INTEGER NOT NULL DEFAULT 0,
    actions_failed    INTEGER NOT NULL DEFAULT 0,
    actions_differing INTEGER,                         -- whose bytes would differ from what was sent
    CHECK ((state = 'in_progress') = (finished_at IS NULL)),
    CHECK ((state = 'completed') = (won IS NOT NULL)),
    CHECK ((state = 'ended') = (end_reason IS NOT NULL))
) STRICT;

CREATE TABLE new_action (
    id                 INTEGER PRIMARY KEY,
    session_id         INTEGER NOT NULL REFERENCES session (id),
    key                TEXT    NOT NULL,
    name               TEXT    NOT NULL,
    section            TEXT    NOT NULL,
    endpoint           TEXT    NOT NULL,
    status             TEXT    NOT NULL DEFAULT 'not_fired'
                               CHECK (status = 'not_fired' OR status = 'pending' OR status = 'sent' OR status = 'failed'),
    reason             TEXT,
    revision           INTEGER NOT NULL DEFAULT 0,     -- the newest revision in the outbox; 0: none
    failed_sends       INTEGER NOT NULL DEFAULT 0,     -- sends that ended failed, over all revisions
    series             TEXT,                           -- its number for receivers, given with its first frozen body
    sequence           INTEGER,
    delivered_revision INTEGER,                        -- the newest one that was sent
    differs            INTEGER,                        -- whether its bytes would differ from the newest revision's
    UNIQUE (session_id, key),
    CHECK ((status = 'not_fired') = (revision = 0))
) STRICT;

CREATE TABLE new_outbox (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    action_id        INTEGER NOT NULL REFERENCES action (id),
    session_id       INTEGER NOT NULL REFERENCES session (id),
    revision         INTEGER NOT NULL CHECK (revision >= 1),
    -- Frozen.
    delivery_id      TEXT    NOT NULL UNIQUE CHECK (length(delivery_id) = 30 AND delivery_id NOT GLOB '*[^a-z0-9_]*'),
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
    detail           TEXT    CHECK (detail = 'abandoned' OR detail = 'redacted' OR detail = 'restored'),   -- by what it was given up
    due_at           INTEGER NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0,       -- begun; written before any byte leaves
    unknown_outcomes INTEGER NOT NULL DEFAULT 0 CHECK (unknown_outcomes BETWEEN 0 AND attempts),
    counted          INTEGER NOT NULL DEFAULT 0,       -- against the budget of this cycle
    slow_counted     INTEGER NOT NULL DEFAULT 0,
    offline_tries    INTEGER NOT NULL DEFAULT 0,       -- in a row; only spaces the next try
    cut_short        INTEGER NOT NULL DEFAULT 0,       -- attempts in a row that did not end by themselves
    refreshed        INTEGER NOT NULL DEFAULT 0 CHECK (refreshed = 0 OR refreshed = 1),
    resynced         INTEGER NOT NULL DEFAULT 0 CHECK (resynced IN (0, 1)),
    failing_ms       INTEGER NOT NULL DEFAULT 0,       -- what this cycle has used up of the budget of age
    last_failure_at  INTEGER,                          -- the last one that was counted
    last_status      INTEGER,
    revived          INTEGER NOT NULL DEFAULT 0,       -- cycles begun after a failure
    cycle_counts     INTEGER NOT NULL DEFAULT 1 CHECK (cycle_counts IN (0, 1)),   -- whether the lock counts this cycle
    lease_owner      TEXT,
    lease_epoch      INTEGER NOT NULL DEFAULT 0,
    lease_until      INTEGER,
    sent_at          INTEGER,
    -- Last, so that what comes before is read without it. It may be given back once sent.
    body             BLOB,
    UNIQUE (action_id, revision),
    CHECK ((state = 'leased') = (lease_owner IS NOT NULL) AND (lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (state <> 'failed' OR reason IS NOT NULL),
    CHECK ((reason IS 'abandoned') = (detail IS NOT NULL)),
    CHECK (body IS NOT NULL OR state = 'sent')
) STRICT;

INSERT INTO new_session (id, key, workflow_id, state, won, actor, started_at, finished_at, end_reason, section_name, last_visit, last_seq,
                         actions_not_fired, actions_pending, actions_sent, actions_failed)
SELECT id, key, workflow_id, state, won, actor, started_at, finished_at, end_reason, section_name, last_visit, last_seq,
       actions_not_fired, actions_pending, actions_sent, actions_failed
  FROM session ORDER BY id;

INSERT INTO new_action (id, session_id, key, name, section, endpoint, status, reason, revision, failed_sends)
SELECT id, session_id, key, name, section, endpoint, status, reason, revision, failed_sends FROM action ORDER BY id;

INSERT INTO new_outbox (id, action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version, session_state,
                        frozen_at, state, reason, detail, due_at, attempts, unknown_outcomes, counted, slow_counted, offline_tries, resynced,
                        last_failure_at, last_status, revived, cycle_counts, lease_owner, lease_epoch, lease_until, sent_at, body)
SELECT id, action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version, session_state,
       frozen_at, state, reason, CASE WHEN reason = 'abandoned' THEN 'abandoned' END, due_at, attempts, unknown_outcomes, counted,
       slow_counted, offline_tries, resynced, first_contact_at, last_status, revived, cycle_counts, lease_owner, lease_epoch, lease_until,
       sent_at, body
  FROM outbox ORDER BY id;

-- A row's number is never given to another one, not even to one that comes after the last was deleted.
DELETE FROM sqlite_sequence WHERE name = 'new_session' OR name = 'new_outbox';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_' || name, seq FROM sqlite_sequence WHERE name = 'session' OR name = 'outbox';

DROP TRIGGER event_goes_with_its_session;
DROP TABLE outbox;
DROP TABLE action;
DROP TABLE session;
ALTER TABLE new_session RENAME TO session;
ALTER TABLE new_action RENAME TO action;
ALTER TABLE new_outbox RENAME TO outbox;

CREATE INDEX session_newest ON session (started_at, id);
CREATE INDEX session_by_workflow ON session (workflow_id, started_at, id);
CREATE INDEX session_in_progress ON session (started_at, id) WHERE state = 'in_progress';
CREATE INDEX session_pending ON session (started_at, id) WHERE actions_pending > 0;
CREATE INDEX session_failed ON session (started_at, id) WHERE actions_failed > 0;
CREATE INDEX session_finished ON session (finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX outbox_due ON outbox (endpoint, due_at, id) WHERE state = 'queued';
CREATE INDEX outbox_fresh ON outbox (endpoint, due_at, id) WHERE state = 'queued' AND counted = 0 AND slow_counted = 0;
CREATE INDEX outbox_offline ON outbox (endpoint) WHERE state = 'queued' AND offline_tries > 0;
CREATE INDEX outbox_leased ON outbox (lease_until) WHERE state = 'leased';
CREATE INDEX outbox_failed ON outbox (endpoint, id) WHERE state = 'failed';
-- Also what damage has given a state that is no word: it is not known to be delivered.
CREATE INDEX outbox_unsent ON outbox (id, state) WHERE state <> 'sent' AND state <> 'superseded';
CREATE INDEX outbox_body_kept ON outbox (sent_at) WHERE state = 'sent' AND body IS NOT NULL;
CREATE INDEX outbox_session ON outbox (session_id);

-- Sessions ----------------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER session_finished_is_final BEFORE UPDATE OF state, won, finished_at, end_reason ON session
WHEN OLD.state <> 'in_progress'
 AND (NEW.state <> OLD.state OR NEW.won IS NOT OLD.won OR NEW.finished_at <> OLD.finished_at OR NEW.end_reason IS NOT OLD.end_reason)
BEGIN SELECT RAISE(ABORT, 'a finished session stays finished'); END;

CREATE TRIGGER session_stays_on_its_workflow BEFORE UPDATE OF key, workflow_id, started_at ON session
BEGIN SELECT RAISE(ABORT, 'a session finishes on the workflow version it began with'); END;

CREATE TRIGGER session_leaves_a_tombstone BEFORE DELETE ON session
WHEN OLD.state = 'in_progress' OR NOT EXISTS (SELECT 1 FROM tombstone WHERE key = OLD.key)
BEGIN SELECT RAISE(ABORT, 'only a finished session is deleted, and leaves a tombstone'); END;

CREATE TRIGGER event_goes_with_its_session BEFORE DELETE ON event
WHEN NOT EXISTS (SELECT 1 FROM session s JOIN tombstone t ON t.key = s.key WHERE s.id = OLD.session_id AND s.state <> 'in_progress')
BEGIN SELECT RAISE(ABORT, 'events are deleted with their session alone'); END;

CREATE TRIGGER session_born BEFORE INSERT ON session
WHEN NEW.actions_not_fired <> 0 OR NEW.actions_pending <> 0 OR NEW.actions_sent <> 0 OR NEW.actions_failed <> 0
BEGIN SELECT RAISE(ABORT, 'a session is born without actions'); END;

CREATE TRIGGER session_counts_its_actions BEFORE UPDATE OF actions_not_fired, actions_pending, actions_sent, actions_failed ON session
WHEN (NEW.actions_not_fired, NEW.actions_pending, NEW.actions_sent, NEW.actions_failed) IS NOT (
    SELECT count(*) FILTER (WHERE status = 'not_fired'), count(*) FILTER (WHERE status = 'pending'),
           count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'failed')
      FROM action WHERE session_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a session counts its actions'); END;

-- Actions -----------------------------------------------------------------------------------------------------------------------------

-- Only a finished session has actions, and an action is born not fired.
CREATE TRIGGER action_born BEFORE INSERT ON action
BEGIN
    SELECT CASE
        WHEN (SELECT state = 'completed' OR state = 'ended' FROM session WHERE id = NEW.session_id) IS NOT 1
            THEN RAISE(ABORT, 'only a completed or ended session has actions')
        WHEN NEW.status <> 'not_fired' OR NEW.failed_sends <> 0 THEN RAISE(ABORT, 'an action is born not fired')
        WHEN EXISTS (SELECT 1 FROM action WHERE id = NEW.id OR session_id = NEW.session_id AND key = NEW.key)
            THEN RAISE(ABORT, 'an action is never replaced')
    END;
END;

CREATE TRIGGER action_is_of_its_session BEFORE UPDATE OF id, session_id, key, name, section, endpoint ON action
BEGIN SELECT RAISE(ABORT, 'an action stays what its session made it'); END;

CREATE TRIGGER action_goes_with_its_session BEFORE DELETE ON action
WHEN NOT EXISTS (SELECT 1 FROM session s JOIN tombstone t ON t.key = s.key WHERE s.id = OLD.session_id)
BEGIN SELECT RAISE(ABORT, 'actions are deleted with their session alone'); END;

CREATE TRIGGER action_status_is_projected BEFORE UPDATE OF status, reason, revision ON action
WHEN NOT EXISTS (
    SELECT 1 FROM outbox
     WHERE action_id = NEW.id AND revision = NEW.revision AND reason IS NEW.reason
       AND NEW.status = CASE state WHEN 'queued' THEN 'pending' WHEN 'leased' THEN 'pending' WHEN 'superseded' THEN 'failed' ELSE state END)
BEGIN SELECT RAISE(ABORT, 'an action shows what its newest entry says'); END;

CREATE TRIGGER action_failed_sends_rise BEFORE UPDATE OF failed_sends ON action
WHEN NEW.failed_sends <> OLD.failed_sends
 AND (NEW.failed_sends <> OLD.failed_sends + 1 OR NOT EXISTS (SELECT 1 FROM outbox WHERE action_id = NEW.id AND state = 'failed'))
BEGIN SELECT RAISE(ABORT, 'failed sends rise by one, with an entry that failed'); END;

-- Counted anew, never carried on: a count that was damaged must not keep a delivery from being recorded.
CREATE TRIGGER action_inserted AFTER INSERT ON action
BEGIN
    UPDATE session
       SET (actions_not_fired, actions_pending, actions_sent, actions_failed) = (
               SELECT count(*) FILTER (WHERE status = 'not_fired'), count(*) FILTER (WHERE status = 'pending'),
                      count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'failed')
                 FROM action WHERE session_id = NEW.session_id)
     WHERE id = NEW.session_id;
END;

CREATE TRIGGER action_updated AFTER UPDATE OF status ON action
WHEN NEW.status <> OLD.status
BEGIN
    UPDATE session
       SET (actions_not_fired, actions_pending, actions_sent, actions_failed) = (
               SELECT count(*) FILTER (WHERE status = 'not_fired'), count(*) FILTER (WHERE status = 'pending'),
                      count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'failed')
                 FROM action WHERE session_id = NEW.session_id)
     WHERE id = NEW.session_id;
END;

-- Entries -----------------------------------------------------------------------------------------------------------------------------

-- An entry belongs to its action, continues its revisions, and is born queued or failed.
CREATE TRIGGER outbox_born BEFORE INSERT ON outbox
WHEN NEW.state NOT IN ('queued', 'failed')
  OR NEW.revision <> (SELECT revision + 1 FROM action WHERE id = NEW.action_id)
  OR NEW.session_id IS NOT (SELECT session_id FROM action WHERE id = NEW.action_id)
BEGIN SELECT RAISE(ABORT, 'an entry continues the revisions of its action and is born queued or failed'); END;

CREATE TRIGGER outbox_is_frozen BEFORE UPDATE OF
    id, action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version, session_state, frozen_at ON outbox
BEGIN SELECT RAISE(ABORT, 'an entry is frozen'); END;

CREATE TRIGGER outbox_body_is_frozen BEFORE UPDATE OF body ON outbox
WHEN NEW.body IS NOT OLD.body AND NOT (NEW.body IS NULL AND OLD.state = 'sent')
BEGIN SELECT RAISE(ABORT, 'a body is frozen, and may be given back only once sent'); END;

-- How an entry may go on. One trigger, because each costs every change of a row.
CREATE TRIGGER outbox_goes_on BEFORE UPDATE OF state, sent_at, attempts, unknown_outcomes ON outbox
BEGIN
    SELECT CASE
        WHEN OLD.state = 'sent' AND (NEW.state <> 'sent' OR NEW.sent_at IS NOT OLD.sent_at OR NEW.unknown_outcomes <> OLD.unknown_outcomes)
            THEN RAISE(ABORT, 'sent is final')
        WHEN NEW.state = 'sent' AND NEW.attempts = 0
            THEN RAISE(ABORT, 'nothing is sent without an attempt')
        WHEN NEW.attempts < OLD.attempts
         AND NOT (OLD.state = 'leased' AND (NEW.state = 'queued' OR NEW.state = 'failed') AND NEW.attempts = OLD.attempts - 1)
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
WHEN NOT (OLD.state IN ('sent', 'superseded') OR (OLD.state = 'failed' AND OLD.reason = 'abandoned'))
BEGIN SELECT RAISE(ABORT, 'an undelivered entry is never deleted'); END;

-- The visible status is a projection of the newest revision, in the same transaction.
CREATE TRIGGER outbox_inserted AFTER INSERT ON outbox
BEGIN
    UPDATE action
       SET revision     = NEW.revision,
           status       = CASE NEW.state WHEN 'failed' THEN 'failed' ELSE 'pending' END,
           reason       = NEW.reason,
           failed_sends = failed_sends + (NEW.state = 'failed')
     WHERE id = NEW.action_id;
END;

-- Nothing visible changes with a claim or its release. A send is one cycle that ended failed: giving up is no send, and revivals that come
-- by themselves are not counted.
CREATE TRIGGER outbox_updated AFTER UPDATE OF state, reason ON outbox
WHEN NEW.reason IS NOT OLD.reason
  OR (NEW.state <> OLD.state AND NOT (NEW.state = 'leased' AND OLD.state = 'queued') AND NOT (NEW.state = 'queued' AND OLD.state = 'leased'))
BEGIN
    UPDATE action
       SET status = CASE NEW.state WHEN 'queued' THEN 'pending' WHEN 'leased' THEN 'pending' WHEN 'superseded' THEN 'failed' ELSE NEW.state END,
           reason = NEW.reason
     WHERE id = NEW.action_id AND revision = NEW.revision;
    UPDATE action
       SET failed_sends = failed_sends + 1
     WHERE NEW.state = 'failed' AND OLD.state <> 'failed' AND NEW.cycle_counts = 1 AND NEW.reason <> 'abandoned' AND id = NEW.action_id;
END;

-- Attempts ----------------------------------------------------------------------------------------------------------------------------

-- They go with their entry: it is gone by then.
CREATE TRIGGER attempt_stays BEFORE DELETE ON attempt
WHEN EXISTS (SELECT 1 FROM outbox WHERE id = OLD.outbox_id)
 AND (OLD.number = 1 OR OLD.status BETWEEN 200 AND 299
      OR (SELECT count(*) FROM attempt newer WHERE newer.outbox_id = OLD.outbox_id AND newer.number > OLD.number) < 10)
BEGIN SELECT RAISE(ABORT, 'of an entry the first attempt, the newest ten and every delivery stay'); END;

CREATE TRIGGER attempt_is_of_its_entry BEFORE UPDATE OF outbox_id, number ON attempt
BEGIN SELECT RAISE(ABORT, 'an attempt stays where it is'); END;

CREATE TRIGGER attempt_delivery_is_final BEFORE UPDATE ON attempt
WHEN OLD.status BETWEEN 200 AND 299
BEGIN SELECT RAISE(ABORT, 'an attempt that delivered is never rewritten'); END;

CREATE TRIGGER attempt_delivery_is_not_replaced BEFORE INSERT ON attempt
WHEN (SELECT status FROM attempt WHERE outbox_id = NEW.outbox_id AND number = NEW.number) BETWEEN 200 AND 299
BEGIN SELECT RAISE(ABORT, 'an attempt that delivered is never rewritten'); END;
