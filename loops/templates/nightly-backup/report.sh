#!/bin/sh
# A line a night in report.md, once each, the newest last. Without a result of this run the copy did not come to an end.
set -eu
cd "$LOOPWRIGHT_STATE"
touch report.md
! grep -q "$LOOPWRIGHT_RUN" report.md || exit 0
run= word= text=
[ ! -e result ] || IFS="$(printf '\t')" read -r run word text < result
[ "$run" = "$LOOPWRIGHT_RUN" ] || word=failed text="it was ended before it was done; the older copies are as they were"
[ "$word" = copied ] || word="**FAILED**"
line="- $(date +%Y-%m-%dT%H:%M) $word: $text ($LOOPWRIGHT_RUN)"
printf '%s\n' "$line" | tee -a report.md
