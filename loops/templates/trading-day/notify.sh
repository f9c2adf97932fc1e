#!/bin/sh
# Tells the person, once: a line in notices.log. For mail or a chat put your own program here, with a `network:` grant.
set -eu
. "$(dirname "$0")/book.sh"
touch notices.log
! grep -q "$run" notices.log || exit 0
stopped=$(cat stop 2> /dev/null || true)
line="$(date +%Y-%m-%dT%H:%M:%S%z) $run $(cat day 2> /dev/null || true): $(held) held${stopped:+; ended before its time: $stopped}"
printf '%s\n' "$line" | tee -a notices.log
