#!/bin/sh
# The maker: makes the change that the finding names, from what fetch.sh downloaded.
set -eu
. "$(dirname "$0")/change.sh"
kind=${LOOPWRIGHT_FINDING_KEY%% *} package=${LOOPWRIGHT_FINDING_KEY#* }
newer=${LOOPWRIGHT_FINDING_TITLE##* }
change "$kind" "$package" "$newer"
printf '{"loopwright": {"summary": "%s is %s"}}\n' "$package" "$newer"
