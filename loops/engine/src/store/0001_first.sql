-- The journal: one chain of hashes per stream. The truth of runs and pull requests.
CREATE TABLE events (
    stream    TEXT NOT NULL,
    seq       INTEGER NOT NULL,
    prev_hash TEXT NOT NULL,
    hash      TEXT NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (stream, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE repos (
    id   TEXT PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE loops (
    id              TEXT PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    path            TEXT NOT NULL,
    repo            TEXT NOT NULL REFERENCES repos (id),
    mode            TEXT NOT NULL CHECK (mode IN ('report', 'ship')),
    hash            TEXT NOT NULL,
    added_at        TEXT NOT NULL,
    triage_revision TEXT,
    triage_listed   TEXT NOT NULL DEFAULT '[]'
) STRICT;

-- Truth in itself: every due time and every event is one row with one end.
CREATE TABLE occurrences (
    id         TEXT PRIMARY KEY,
    loop       TEXT NOT NULL REFERENCES loops (id),
    trigger    TEXT NOT NULL,
    key        TEXT NOT NULL,
    due_at     TEXT NOT NULL,
    claimed_at TEXT,
    zone       TEXT NOT NULL,
    state      TEXT NOT NULL,
    reason     TEXT,
    run        TEXT,
    UNIQUE (loop, trigger, key)
) STRICT;
-- A loop never has two live runs.
CREATE UNIQUE INDEX one_live_occurrence ON occurrences (loop) WHERE state IN ('claimed', 'running');

CREATE TABLE runs (
    id            TEXT PRIMARY KEY,
    loop          TEXT NOT NULL REFERENCES loops (id),
    occurrence    TEXT NOT NULL UNIQUE REFERENCES occurrences (id),
    cause         TEXT NOT NULL,
    started_at    TEXT NOT NULL,
    ended_at      TEXT,
    ended         TEXT,
    epoch         INTEGER NOT NULL,
    spent         INTEGER NOT NULL,
    budget        INTEGER NOT NULL,
    acted         INTEGER NOT NULL,
    handed_over   INTEGER NOT NULL,
    pull_requests INTEGER NOT NULL,
    code          INTEGER
) STRICT;
CREATE INDEX runs_by_start ON runs (started_at);

CREATE TABLE findings (
    loop        TEXT NOT NULL REFERENCES loops (id),
    fingerprint TEXT NOT NULL,
    body        TEXT NOT NULL,
    state       TEXT NOT NULL,
    rounds      TEXT NOT NULL,
    hand_over   TEXT,
    first_seen  TEXT NOT NULL,
    last_seen   TEXT NOT NULL,
    PRIMARY KEY (loop, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    id             TEXT PRIMARY KEY,
    run            TEXT NOT NULL REFERENCES runs (id),
    finding        TEXT NOT NULL,
    iteration      INTEGER NOT NULL,
    result         TEXT,
    charged        INTEGER NOT NULL,
    verify_charged INTEGER NOT NULL DEFAULT 0,
    verdict        TEXT
) STRICT;

CREATE TABLE pull_requests (
    id          TEXT PRIMARY KEY,
    loop        TEXT NOT NULL REFERENCES loops (id),
    run         TEXT NOT NULL REFERENCES runs (id),
    attempt     TEXT NOT NULL REFERENCES attempts (id),
    title       TEXT NOT NULL,
    body        TEXT NOT NULL,
    state       TEXT NOT NULL,
    branch      TEXT NOT NULL,
    base        TEXT NOT NULL,
    commit_id   TEXT NOT NULL,
    tree        TEXT NOT NULL,
    patch_id    TEXT NOT NULL,
    diff_sha256 TEXT NOT NULL,
    opened_at   TEXT NOT NULL,
    merged      TEXT
) STRICT;

CREATE TABLE pull_request_findings (
    pull_request TEXT NOT NULL REFERENCES pull_requests (id),
    loop         TEXT NOT NULL,
    fingerprint  TEXT NOT NULL,
    linked_issue TEXT,
    PRIMARY KEY (pull_request, fingerprint),
    FOREIGN KEY (loop, fingerprint) REFERENCES findings (loop, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE reviews (
    id           TEXT PRIMARY KEY,
    pull_request TEXT NOT NULL REFERENCES pull_requests (id),
    decision     TEXT NOT NULL,
    via          TEXT NOT NULL,
    tree         TEXT NOT NULL,
    at           TEXT NOT NULL
) STRICT;

-- Truth in itself: reserve, charge, release, in micro-dollars.
CREATE TABLE ledger (
    id     INTEGER PRIMARY KEY,
    run    TEXT NOT NULL REFERENCES runs (id),
    loop   TEXT NOT NULL,
    day    TEXT NOT NULL,
    step   TEXT NOT NULL,
    kind   TEXT NOT NULL CHECK (kind IN ('reserve', 'charge', 'release')),
    micros INTEGER NOT NULL CHECK (micros >= 0),
    at     TEXT NOT NULL,
    UNIQUE (step, kind)
) STRICT;

-- A cache: what the checks said of a commit.
CREATE TABLE base_results (
    repo      TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    key       TEXT NOT NULL,
    report    TEXT NOT NULL,
    at        TEXT NOT NULL,
    PRIMARY KEY (repo, commit_id, key)
) STRICT, WITHOUT ROWID;
