-- What the phone's clock said when an act was made, where that was before the act before it: `at` never is.
ALTER TABLE event ADD COLUMN wall_at INTEGER;

-- Ids of commands that left no event of that id: stale ones, those that changed nothing, and those of calls that made several events.
CREATE TABLE command (
    command_id   TEXT    PRIMARY KEY,
    command_hash BLOB    NOT NULL CHECK (length(command_hash) = 32),   -- of its content, to tell a repeat from a reuse
    session_id   INTEGER NOT NULL REFERENCES session (id),
    outcome      TEXT    NOT NULL CHECK (outcome IN ('done', 'unchanged', 'stale'))
) STRICT, WITHOUT ROWID;

CREATE INDEX command_session ON command (session_id);

CREATE TRIGGER command_is_not_changed BEFORE UPDATE ON command
BEGIN SELECT RAISE(ABORT, 'what a command came to is never changed'); END;

-- Ids of commands whose session is gone. What they said is gone, too.
CREATE TABLE spent_command (
    id_hash     BLOB    PRIMARY KEY CHECK (length(id_hash) = 32),      -- HMAC-SHA-256 of the id with the install id as key
    session_key BLOB    NOT NULL CHECK (length(session_key) = 16),
    spent_age   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_command_oldest ON spent_command (spent_age);

CREATE TRIGGER spent_command_is_not_changed BEFORE UPDATE ON spent_command
BEGIN SELECT RAISE(ABORT, 'what a command came to is never changed'); END;
