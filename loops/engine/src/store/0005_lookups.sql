-- What came due by itself, without what a person or a decision asked for: the last of them is looked up by `status`.
CREATE INDEX occurrences_by_themselves ON occurrences (loop, due_at, id)
    WHERE trigger IN ('cron', 'every', 'at', 'after', 'file');
