-- When a loop starts by itself, as it was confirmed, as JSON; none (older rows) until its file is read again.
ALTER TABLE loops ADD COLUMN timing TEXT;
-- Since when nothing starts it by itself (`disable`), RFC 3339 UTC; none = enabled.
ALTER TABLE loops ADD COLUMN paused_at TEXT;
-- One that is due starts no earlier than this.
ALTER TABLE occurrences ADD COLUMN not_before TEXT;
-- Many due times with one fate are one row: the last of them, and how many; `due_at` and `key` are the first one's.
ALTER TABLE occurrences ADD COLUMN until_at TEXT;
ALTER TABLE occurrences ADD COLUMN times INTEGER NOT NULL DEFAULT 1 CHECK (times >= 1);
-- When it got its end.
ALTER TABLE occurrences ADD COLUMN ended_at TEXT;
-- How far the ledger of due times reaches, a row per loop that has any.
CREATE TABLE schedules (
    loop    TEXT PRIMARY KEY REFERENCES loops (id),
    -- Every due time up to this one has its row.
    since   TEXT NOT NULL,
    -- The first one after it; none = there is none.
    next_at TEXT,
    -- The zone that it was reckoned in.
    zone    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_by_next ON schedules (next_at) WHERE next_at IS NOT NULL;
-- What files that start a loop looked like when it was started last, and what they look like since.
CREATE TABLE watched_files (
    loop       TEXT NOT NULL REFERENCES loops (id),
    glob       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    changed    TEXT,
    changed_at TEXT,
    PRIMARY KEY (loop, glob)
) STRICT, WITHOUT ROWID;
-- A run that is parked lives too.
DROP INDEX one_live_occurrence;
CREATE UNIQUE INDEX one_live_occurrence ON occurrences (loop) WHERE state IN ('claimed', 'running', 'parked');
-- What `why`, `status` and a pass ask must not take longer with a longer ledger.
CREATE INDEX occurrences_by_due ON occurrences (loop, due_at);
-- How often a run was started for it.
ALTER TABLE occurrences ADD COLUMN starts INTEGER NOT NULL DEFAULT 0;
-- What its watchdog must know before anybody has read the file again: the run's own time, and that of its `finally` steps.
ALTER TABLE loops ADD COLUMN max_duration_s INTEGER;
ALTER TABLE loops ADD COLUMN finally_s INTEGER NOT NULL DEFAULT 0;
-- Rows that stand for many times are found by any of them.
CREATE INDEX occurrences_of_many ON occurrences (loop, until_at) WHERE until_at IS NOT NULL;
-- Steps of a run that are not about findings, and are done.
ALTER TABLE runs ADD COLUMN chores INTEGER NOT NULL DEFAULT 0;
-- What it is for, as far as people are told without its file.
ALTER TABLE loops ADD COLUMN does TEXT NOT NULL DEFAULT 'ships' CHECK (does IN ('ships', 'finds', 'chores'));
CREATE INDEX waiting_of_loops ON occurrences (loop) WHERE state = 'due';
CREATE INDEX open_occurrences ON occurrences (loop) WHERE state IN ('due', 'claimed', 'running', 'parked');
