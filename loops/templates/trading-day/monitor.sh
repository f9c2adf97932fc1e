#!/bin/sh
# Marks the book at each price. Ends well at the drawdown limit, and badly where the engine is silent; either ends the engine.
set -eu
. "$(dirname "$0")/book.sh"

best=$CAPITAL last=-1 silent=0
[ ! -e marks ] || read -r best _ < marks

while [ ! -e stop ]; do
	tick=0 price=0
	[ ! -e market ] || read -r tick price _ < market
	if [ "$tick" -ne "$last" ]; then
		last=$tick silent=0
		mark=$(worth "$price")
		[ "$mark" -le "$best" ] || best=$mark
		replace marks "$best $mark"
		if [ $((best - mark)) -ge "$MAX_DRAWDOWN" ]; then
			replace stop "$((best - mark)) cents below the best mark, the limit is $MAX_DRAWDOWN"
		fi
	else
		silent=$((silent + 1))
		if [ "$silent" -ge "$MAX_SILENCE" ]; then
			replace stop "no price for $silent ticks"
			cat stop
			exit 1
		fi
	fi
	sleep "$TICK"
done
cat stop
