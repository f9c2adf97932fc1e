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
