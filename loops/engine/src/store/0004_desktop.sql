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
