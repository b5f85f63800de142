-- Times are milliseconds since 1970 in UTC. Rows refer to each other by integer rowids; keys that the outside sees are columns.
-- What must never happen is refused here, by the database itself, whatever the code above does.

CREATE TABLE meta (
    id                  INTEGER PRIMARY KEY CHECK (id = 1),
    install_id          TEXT    NOT NULL,              -- goes into delivery ids; travels with backups
    revision            INTEGER NOT NULL DEFAULT 0,    -- one more with each committed change
    integration_enabled INTEGER NOT NULL DEFAULT 0 CHECK (integration_enabled IN (0, 1))
) STRICT;

-- Workflows ---------------------------------------------------------------------------------------------------------------------------

CREATE TABLE workflow (
    id             INTEGER PRIMARY KEY,
    key            TEXT    NOT NULL,
    version        INTEGER NOT NULL CHECK (version >= 1),
    local_revision INTEGER NOT NULL CHECK (local_revision >= 0),
    name           TEXT    NOT NULL,
    description    TEXT,
    hash           BLOB    NOT NULL CHECK (length(hash) = 32),   -- of the canonical JSON
    document       BLOB    NOT NULL,                             -- the bytes as they were imported
    startable      INTEGER NOT NULL CHECK (startable IN (0, 1)),
    findings       TEXT    NOT NULL,                             -- JSON
    imported_at    INTEGER NOT NULL,
    retired_at     INTEGER,
    UNIQUE (key, version, local_revision)
) STRICT;

CREATE TRIGGER workflow_is_immutable BEFORE UPDATE OF key, version, local_revision, hash, document ON workflow
BEGIN SELECT RAISE(ABORT, 'a workflow version is immutable'); END;

-- Sessions ----------------------------------------------------------------------------------------------------------------------------

CREATE TABLE session (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    key               BLOB    NOT NULL UNIQUE CHECK (length(key) = 16),
    workflow_id       INTEGER NOT NULL REFERENCES workflow (id),
    state             TEXT    NOT NULL CHECK (state IN ('in_progress', 'completed', 'ended', 'discarded')),
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
    CHECK ((state = 'in_progress') = (finished_at IS NULL)),
    CHECK ((state = 'completed') = (won IS NOT NULL)),
    CHECK ((state = 'ended') = (end_reason IS NOT NULL))
) STRICT;

CREATE INDEX session_newest ON session (started_at, id);
CREATE INDEX session_by_workflow ON session (workflow_id, started_at, id);
CREATE INDEX session_in_progress ON session (started_at, id) WHERE state = 'in_progress';
CREATE INDEX session_pending ON session (started_at, id) WHERE actions_pending > 0;
CREATE INDEX session_failed ON session (started_at, id) WHERE actions_failed > 0;
CREATE INDEX session_finished ON session (finished_at) WHERE finished_at IS NOT NULL;

CREATE TRIGGER session_finished_is_final BEFORE UPDATE OF state, won, finished_at, end_reason ON session
WHEN OLD.state <> 'in_progress'
 AND (NEW.state <> OLD.state OR NEW.won IS NOT OLD.won OR NEW.finished_at <> OLD.finished_at OR NEW.end_reason IS NOT OLD.end_reason)
BEGIN SELECT RAISE(ABORT, 'a finished session stays finished'); END;

CREATE TRIGGER session_stays_on_its_workflow BEFORE UPDATE OF key, workflow_id, started_at ON session
BEGIN SELECT RAISE(ABORT, 'a session finishes on the workflow version it began with'); END;

-- The technician's acts, in order. Append-only.
CREATE TABLE event (
    session_id   INTEGER NOT NULL REFERENCES session (id),
    seq          INTEGER NOT NULL CHECK (seq >= 1),
    type         TEXT    NOT NULL,
    v            INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    utc_offset   INTEGER NOT NULL,                     -- seconds
    actor        TEXT,
    command_id   TEXT,
    command_hash BLOB,                                 -- of the command's content, to tell a repeat from a reuse
    json         TEXT    NOT NULL,
    PRIMARY KEY (session_id, seq),
    CHECK ((command_id IS NULL) = (command_hash IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX event_command ON event (command_id) WHERE command_id IS NOT NULL;

CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

-- Projections of the events, which commands read.

CREATE TABLE visit (
    session_id INTEGER NOT NULL REFERENCES session (id),
    number     INTEGER NOT NULL CHECK (number >= 1),
    section    TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    answer     TEXT,
    superseded INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)),
    PRIMARY KEY (session_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE value (
    session_id   INTEGER NOT NULL REFERENCES session (id),
    field        TEXT    NOT NULL,
    json         TEXT    NOT NULL,                     -- the field state; a field that is not provided has no row
    completed_at INTEGER NOT NULL,
    source       TEXT,                                 -- of a prefill; none: the technician
    PRIMARY KEY (session_id, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE note (
    session_id INTEGER NOT NULL REFERENCES session (id),
    seq        INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    actor      TEXT,
    text       TEXT    NOT NULL,
    edited     INTEGER NOT NULL DEFAULT 0 CHECK (edited IN (0, 1)),
    PRIMARY KEY (session_id, seq)
) STRICT, WITHOUT ROWID;

-- Half-typed raw input. Outside the log.
CREATE TABLE draft (
    session_id INTEGER NOT NULL REFERENCES session (id),
    field      TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    PRIMARY KEY (session_id, field)
) STRICT, WITHOUT ROWID;

-- Notes and text fields of finished sessions; the rowid is the session's.
CREATE VIRTUAL TABLE session_text USING fts5 (text, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2");

-- What is left of a deleted session.
CREATE TABLE tombstone (
    key          BLOB    PRIMARY KEY CHECK (length(key) = 16),
    workflow_key TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    finished_at  INTEGER NOT NULL,
    deleted_at   INTEGER NOT NULL,
    cause        TEXT    NOT NULL CHECK (cause IN ('purged', 'deleted'))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER session_leaves_a_tombstone BEFORE DELETE ON session
WHEN OLD.state = 'in_progress' OR NOT EXISTS (SELECT 1 FROM tombstone WHERE key = OLD.key)
BEGIN SELECT RAISE(ABORT, 'only a finished session is deleted, and leaves a tombstone'); END;

CREATE TRIGGER event_goes_with_its_session BEFORE DELETE ON event
WHEN NOT EXISTS (SELECT 1 FROM session s JOIN tombstone t ON t.key = s.key WHERE s.id = OLD.session_id AND s.state <> 'in_progress')
BEGIN SELECT RAISE(ABORT, 'events are deleted with their session alone'); END;

CREATE TRIGGER tombstone_stays BEFORE DELETE ON tombstone
BEGIN SELECT RAISE(ABORT, 'a tombstone stays'); END;

-- Webhooks ----------------------------------------------------------------------------------------------------------------------------

CREATE TABLE endpoint (
    key                  TEXT    PRIMARY KEY,
    definition           TEXT    NOT NULL,             -- JSON; names of secrets, never secrets
    enabled              INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    disabled_reason      TEXT,
    archived_at          INTEGER,
    paused_until         INTEGER NOT NULL DEFAULT 0,
    pause_reason         TEXT,
    consecutive_failures INTEGER NOT NULL DEFAULT 0,
    in_flight_limit      INTEGER NOT NULL CHECK (in_flight_limit >= 1),
    skew_ms              INTEGER,                      -- the receiver's clock minus the phone's
    CHECK ((enabled = 0) = (disabled_reason IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE action (
    id           INTEGER PRIMARY KEY,
    session_id   INTEGER NOT NULL REFERENCES session (id),
    key          TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    section      TEXT    NOT NULL,
    endpoint     TEXT    NOT NULL,
    status       TEXT    NOT NULL DEFAULT 'not_fired' CHECK (status IN ('not_fired', 'pending', 'sent', 'failed')),
    reason       TEXT,
    revision     INTEGER NOT NULL DEFAULT 0,           -- the newest revision in the outbox; 0: none
    failed_sends INTEGER NOT NULL DEFAULT 0,           -- sends that ended failed, over all revisions
    UNIQUE (session_id, key),
    CHECK ((status = 'not_fired') = (revision = 0))
) STRICT;

CREATE TABLE outbox (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    action_id        INTEGER NOT NULL REFERENCES action (id),
    session_id       INTEGER NOT NULL REFERENCES session (id),
    revision         INTEGER NOT NULL CHECK (revision >= 1),
    -- Frozen.
    delivery_id      TEXT    NOT NULL UNIQUE CHECK (length(delivery_id) = 30 AND delivery_id NOT GLOB '*[^a-z0-9_]*'),
    endpoint         TEXT    NOT NULL,                 -- may name an endpoint that is not known yet
    body             BLOB,                             -- may be given back once sent
    body_sha256      BLOB    NOT NULL CHECK (length(body_sha256) = 32),
    body_size        INTEGER NOT NULL,
    workflow_version TEXT    NOT NULL,
    session_state    TEXT    NOT NULL CHECK (session_state IN ('completed', 'ended')),
    frozen_at        INTEGER NOT NULL,
    -- Delivery.
    state            TEXT    NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'leased', 'sent', 'failed', 'superseded')),
    reason           TEXT,
    due_at           INTEGER NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0,       -- begun; written before any byte leaves
    unknown_outcomes INTEGER NOT NULL DEFAULT 0 CHECK (unknown_outcomes BETWEEN 0 AND attempts),
    counted          INTEGER NOT NULL DEFAULT 0,       -- against the budget of this cycle
    slow_counted     INTEGER NOT NULL DEFAULT 0,
    offline_tries    INTEGER NOT NULL DEFAULT 0,       -- in a row; only spaces the next try
    resynced         INTEGER NOT NULL DEFAULT 0 CHECK (resynced IN (0, 1)),
    first_contact_at INTEGER,
    last_status      INTEGER,
    revived          INTEGER NOT NULL DEFAULT 0,       -- cycles begun after a failure
    cycle_counts     INTEGER NOT NULL DEFAULT 1 CHECK (cycle_counts IN (0, 1)),   -- whether the lock counts this cycle
    lease_owner      TEXT,
    lease_epoch      INTEGER NOT NULL DEFAULT 0,
    lease_until      INTEGER,
    sent_at          INTEGER,
    UNIQUE (action_id, revision),
    CHECK ((state = 'leased') = (lease_owner IS NOT NULL) AND (lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (state <> 'failed' OR reason IS NOT NULL),
    CHECK (body IS NOT NULL OR state = 'sent')
) STRICT;

CREATE INDEX outbox_due ON outbox (endpoint, due_at, id) WHERE state = 'queued';
CREATE INDEX outbox_offline ON outbox (endpoint) WHERE state = 'queued' AND reason IN ('offline', 'captive_portal');
CREATE INDEX outbox_leased ON outbox (lease_until) WHERE state = 'leased';
CREATE INDEX outbox_failed ON outbox (endpoint, id) WHERE state = 'failed';
CREATE INDEX outbox_unsent ON outbox (id) WHERE state IN ('queued', 'leased', 'failed');
CREATE INDEX outbox_body_kept ON outbox (sent_at) WHERE state = 'sent' AND body IS NOT NULL;
CREATE INDEX outbox_session ON outbox (session_id);

CREATE TABLE attempt (
    outbox_id   INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status      INTEGER,
    outcome     TEXT    NOT NULL,
    counted     INTEGER NOT NULL CHECK (counted IN (0, 1)),
    unknown     INTEGER NOT NULL CHECK (unknown IN (0, 1)),
    PRIMARY KEY (outbox_id, number)
) STRICT, WITHOUT ROWID;

-- Only a finished session has actions, and an action is born not fired.
CREATE TRIGGER action_needs_finished_session BEFORE INSERT ON action
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'completed'
 AND (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'ended'
BEGIN SELECT RAISE(ABORT, 'only a completed or ended session has actions'); END;

CREATE TRIGGER action_born BEFORE INSERT ON action
WHEN NEW.status <> 'not_fired' OR NEW.failed_sends <> 0
BEGIN SELECT RAISE(ABORT, 'an action is born not fired'); END;

-- An entry belongs to its action, continues its revisions, and is born queued or failed.
CREATE TRIGGER outbox_born BEFORE INSERT ON outbox
WHEN NEW.state NOT IN ('queued', 'failed')
  OR NEW.revision <> (SELECT revision + 1 FROM action WHERE id = NEW.action_id)
  OR NEW.session_id IS NOT (SELECT session_id FROM action WHERE id = NEW.action_id)
BEGIN SELECT RAISE(ABORT, 'an entry continues the revisions of its action and is born queued or failed'); END;

CREATE TRIGGER outbox_is_frozen BEFORE UPDATE OF
    action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version, session_state, frozen_at ON outbox
BEGIN SELECT RAISE(ABORT, 'an entry is frozen'); END;

CREATE TRIGGER outbox_body_is_frozen BEFORE UPDATE OF body ON outbox
WHEN NEW.body IS NOT OLD.body AND NOT (NEW.body IS NULL AND OLD.state = 'sent')
BEGIN SELECT RAISE(ABORT, 'a body is frozen, and may be given back only once sent'); END;

CREATE TRIGGER outbox_sent_is_final BEFORE UPDATE OF state, sent_at ON outbox
WHEN OLD.state = 'sent' AND (NEW.state <> 'sent' OR NEW.sent_at IS NOT OLD.sent_at)
BEGIN SELECT RAISE(ABORT, 'sent is final'); END;

CREATE TRIGGER outbox_sent_needs_attempt BEFORE UPDATE OF state ON outbox
WHEN NEW.state = 'sent' AND NEW.attempts = 0
BEGIN SELECT RAISE(ABORT, 'nothing is sent without an attempt'); END;

CREATE TRIGGER outbox_failed_needs_revival BEFORE UPDATE OF state ON outbox
WHEN OLD.state = 'failed' AND NEW.state IN ('queued', 'leased') AND NEW.revived <> OLD.revived + 1
BEGIN SELECT RAISE(ABORT, 'a failed entry is revived on purpose or not at all'); END;

-- An undelivered entry gives way only to a newer revision. (A late 2xx may still make it sent.)
CREATE TRIGGER outbox_superseded_by_revision BEFORE UPDATE OF state ON outbox
WHEN NEW.state = 'superseded' AND OLD.state <> 'superseded'
 AND (OLD.state <> 'failed' OR NOT EXISTS (SELECT 1 FROM outbox newer WHERE newer.action_id = OLD.action_id AND newer.revision > OLD.revision))
BEGIN SELECT RAISE(ABORT, 'only a failed entry is superseded, by a newer revision'); END;

CREATE TRIGGER outbox_superseded_is_over BEFORE UPDATE OF state ON outbox
WHEN OLD.state = 'superseded' AND NEW.state NOT IN ('superseded', 'sent')
BEGIN SELECT RAISE(ABORT, 'a superseded entry is not sent again'); END;

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

CREATE TRIGGER outbox_updated AFTER UPDATE OF state, reason ON outbox
WHEN NEW.revision = (SELECT revision FROM action WHERE id = NEW.action_id)
BEGIN
    UPDATE action
       SET status = CASE NEW.state WHEN 'queued' THEN 'pending' WHEN 'leased' THEN 'pending' WHEN 'superseded' THEN 'failed' ELSE NEW.state END,
           reason = NEW.reason
     WHERE id = NEW.action_id;
END;

-- A send is one cycle that ended failed. Giving up is not a send, and automatic revivals are not counted.
CREATE TRIGGER outbox_cycle_failed AFTER UPDATE OF state ON outbox
WHEN NEW.state = 'failed' AND OLD.state <> 'failed' AND NEW.cycle_counts = 1 AND NEW.reason <> 'abandoned'
BEGIN
    UPDATE action SET failed_sends = failed_sends + 1 WHERE id = NEW.action_id;
END;

CREATE TRIGGER action_status_is_projected BEFORE UPDATE OF status, reason, revision ON action
WHEN NOT EXISTS (
    SELECT 1 FROM outbox
     WHERE action_id = NEW.id AND revision = NEW.revision AND reason IS NEW.reason
       AND NEW.status = CASE state WHEN 'queued' THEN 'pending' WHEN 'leased' THEN 'pending' WHEN 'superseded' THEN 'failed' ELSE state END)
BEGIN SELECT RAISE(ABORT, 'an action shows what its newest entry says'); END;

CREATE TRIGGER action_inserted AFTER INSERT ON action
BEGIN
    UPDATE session SET actions_not_fired = actions_not_fired + 1 WHERE id = NEW.session_id;
END;

CREATE TRIGGER action_updated AFTER UPDATE OF status ON action
WHEN NEW.status <> OLD.status
BEGIN
    UPDATE session
       SET actions_not_fired = actions_not_fired + (NEW.status = 'not_fired') - (OLD.status = 'not_fired'),
           actions_pending   = actions_pending   + (NEW.status = 'pending')   - (OLD.status = 'pending'),
           actions_sent      = actions_sent      + (NEW.status = 'sent')      - (OLD.status = 'sent'),
           actions_failed    = actions_failed    + (NEW.status = 'failed')    - (OLD.status = 'failed')
     WHERE id = NEW.session_id;
END;
