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
-- The history of all loops, the newest first, and of what is seldom in it.
CREATE INDEX occurrences_by_time ON occurrences (due_at, id);
CREATE INDEX occurrences_not_well ON occurrences (state, due_at, id)
    WHERE state IN ('missed', 'skipped', 'failed', 'halted');
-- The model that a charge is for, as it reported itself or as its loop names it; none = neither, or an older row.
ALTER TABLE ledger ADD COLUMN model TEXT;
CREATE INDEX charges_by_day ON ledger (COALESCE(fleet_day, day), loop, model, micros) WHERE kind = 'charge';
-- When it came onto its branch, RFC 3339 UTC.
ALTER TABLE pull_requests ADD COLUMN merged_at TEXT;
UPDATE pull_requests SET merged_at = (
    SELECT json_extract(e.body, '$.at') FROM events e
    WHERE e.stream = 'pr/' || pull_requests.id AND json_extract(e.body, '$.type') = 'merged'
) WHERE merged IS NOT NULL;
CREATE INDEX merged_pull_requests ON pull_requests (merged_at, loop, state) WHERE merged_at IS NOT NULL;
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
