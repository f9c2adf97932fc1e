-- Files of a pull request that a person marked as viewed, each bound to the content that was shown.
CREATE TABLE viewed_files (
    pull_request TEXT NOT NULL REFERENCES pull_requests (id),
    path         TEXT NOT NULL,
    content      TEXT NOT NULL,
    at           TEXT NOT NULL,
    PRIMARY KEY (pull_request, path)
) STRICT, WITHOUT ROWID;
-- What a person wrote of a pull request: on lines of a file, or (without a path) on the whole.
CREATE TABLE comment_drafts (
    pull_request TEXT NOT NULL REFERENCES pull_requests (id),
    id           TEXT NOT NULL,
    path         TEXT,
    -- Whether the lines are those of the old file.
    old          INTEGER NOT NULL DEFAULT 0 CHECK (old IN (0, 1)),
    from_line    INTEGER NOT NULL DEFAULT 0,
    to_line      INTEGER NOT NULL DEFAULT 0,
    -- The lines as they were shown.
    code         TEXT NOT NULL DEFAULT '',
    text         TEXT NOT NULL,
    at           TEXT NOT NULL,
    -- When it was sent to the maker; none = it is a draft.
    sent_at      TEXT,
    PRIMARY KEY (pull_request, id)
) STRICT, WITHOUT ROWID;
-- When a pause ends by itself (`paused_at`), RFC 3339 UTC; none = when a person says so.
ALTER TABLE loops ADD COLUMN paused_until TEXT;
-- Notifications: a row before one is sent, so that what nobody knows the outcome of is never sent again.
CREATE TABLE notices (
    id       TEXT PRIMARY KEY,
    -- The word of `core::notice::Kind`; one of a newer program is left alone.
    kind     TEXT NOT NULL,
    -- What it tells of, the loops that it counts for, what its buttons act on, the keys that were drawn: JSON.
    topics   TEXT NOT NULL,
    loops    TEXT NOT NULL,
    about    TEXT NOT NULL,
    keys     TEXT NOT NULL,
    -- Whether it asked for a person: one that only replaced what was true before did not.
    counted  INTEGER NOT NULL CHECK (counted IN (0, 1)),
    intent_at TEXT NOT NULL,
    -- Which server shows it (the bus and its name there), and under which number; none = not known to have been sent.
    server   TEXT,
    number   INTEGER,
    sent_at  TEXT,
    -- When it was over, and how: clicked, dismissed, expired, withdrawn, replaced, unsent, unknown, gone.
    ended_at TEXT,
    ended    TEXT
) STRICT;
CREATE INDEX live_notices ON notices (intent_at) WHERE ended_at IS NULL;
CREATE INDEX notices_by_time ON notices (intent_at);
-- When a person deleted a loop: its runs and their receipts stay.
ALTER TABLE loops ADD COLUMN deleted_at TEXT;
