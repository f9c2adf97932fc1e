#!/bin/sh
# The maker: makes the change that fetch.sh kept for this finding.
set -eu
patch=/state/updates/$(printf '%s' "$LOOPWRIGHT_FINDING_KEY" | sha256sum | cut -d ' ' -f 1).patch
if [ -e "$patch" ] && git apply "$patch"; then
	printf '{"loopwright": {"summary": "%s"}}\n' "$LOOPWRIGHT_FINDING_TITLE"
else
	echo '{"loopwright": {"declined": "the project changed since it was fetched; the next run fetches it anew"}}'
fi
