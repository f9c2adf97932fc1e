#!/bin/sh
# Clears away what the last day left, but for the book.
set -eu
. "$(dirname "$0")/book.sh"
rm -f login marks stop
replace day "$(date +%Y-%m-%d)"
left=$(held)
if [ "$left" -ne 0 ]; then
	# The square-off after this end sells it at the last price that was seen.
	echo "$left are still held from another day; this one is not begun, they are sold instead"
	exit 1
fi
rm -f market
echo "the day is open, nothing is held"
