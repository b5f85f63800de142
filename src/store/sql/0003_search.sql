-- Search finds parts of words, in every session.
--
-- The index holds each piece of three characters of a text, without places: what a longer part needs is compared with the text itself,
-- which stands beside it. What is deleted is taken out of the index at once.

DROP TABLE session_text;

-- The plain text of each finished session, by its row.
CREATE VIRTUAL TABLE search USING fts5 (text, detail = none, columnsize = 0, tokenize = "trigram case_sensitive 1");
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
-- Small pages of the index: what is taken out is looked for in them one by one.
INSERT INTO search (search, rank) VALUES ('pgsz', 1000);

-- Sessions that the next search looks at again where they have another `last_seq`. In progress: with their plain text, which changes too
-- often to be in the index. Finished: with none, because they were edited.
CREATE TABLE open_text (
    session_id INTEGER PRIMARY KEY REFERENCES session (id),
    seq        INTEGER NOT NULL,
    text       TEXT
) STRICT;
