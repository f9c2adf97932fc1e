-- What a run that was asked for by a decision works on again, as JSON; none for every other run.
ALTER TABLE occurrences ADD COLUMN revises TEXT;
-- Until when a pull request is put off, and when an approval takes effect; RFC 3339 UTC.
ALTER TABLE pull_requests ADD COLUMN later_until TEXT;
ALTER TABLE pull_requests ADD COLUMN lands_at TEXT;
-- What a person said with a decision.
ALTER TABLE reviews ADD COLUMN note TEXT;
CREATE INDEX live_runs ON runs (started_at) WHERE ended_at IS NULL;
CREATE INDEX undecided_pull_requests ON pull_requests (loop) WHERE state IN ('open', 'approved', 'sent back');
CREATE INDEX ledger_by_run ON ledger (run);
CREATE INDEX revising_occurrences ON occurrences (json_extract(revises, '$.pull_request')) WHERE revises IS NOT NULL;
-- The day in the computer's zone, for all loops together; none (older rows) = that of the loop.
ALTER TABLE ledger ADD COLUMN fleet_day TEXT;
-- Charged and still reserved per scope, kept in the transaction of each ledger row; `run/…`, `loop/…/day`, `loop/…/month`,
-- `fleet/day`, `fleet/month`.
CREATE TABLE ledger_totals (
    scope     TEXT PRIMARY KEY,
    committed INTEGER NOT NULL CHECK (committed >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger_totals (scope, committed)
WITH signed AS (SELECT run, loop, day, CASE kind WHEN 'release' THEN -micros ELSE micros END AS micros FROM ledger)
SELECT 'run/' || run, SUM(micros) FROM signed GROUP BY run
UNION ALL SELECT 'loop/' || loop || '/' || day, SUM(micros) FROM signed GROUP BY loop, day
UNION ALL SELECT 'loop/' || loop || '/' || substr(day, 1, 7), SUM(micros) FROM signed GROUP BY loop, substr(day, 1, 7)
UNION ALL SELECT 'fleet/' || day, SUM(micros) FROM signed GROUP BY day
UNION ALL SELECT 'fleet/' || substr(day, 1, 7), SUM(micros) FROM signed GROUP BY substr(day, 1, 7);
-- What the rows of all tables add up to, so that damage is seen which SQLite can't see; one row, written with every commit.
CREATE TABLE sealed (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    commits INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    schema  INTEGER NOT NULL,
    sums    TEXT NOT NULL,
    own     TEXT NOT NULL
) STRICT;
-- What `status` and a reconcile pass ask must not take longer with a longer history.
CREATE INDEX runs_by_loop ON runs (loop, started_at, id);
CREATE INDEX runs_by_time ON runs (started_at, id);
CREATE INDEX occurrences_by_run ON occurrences (run);
CREATE INDEX claimed_occurrences ON occurrences (id) WHERE state = 'claimed';
CREATE INDEX due_occurrences ON occurrences (due_at) WHERE state = 'due';
CREATE INDEX attempts_by_run ON attempts (run, finding);
CREATE INDEX attempts_by_finding ON attempts (finding, id);
CREATE INDEX reviews_by_pull_request ON reviews (pull_request, decision);
CREATE INDEX pull_requests_by_finding ON pull_request_findings (loop, fingerprint);
