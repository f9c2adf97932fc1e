#!/bin/sh
# A market that walks by chance from a seed, and a strategy on it: long while the quick average is above the slow one.
# Taken up again after a crash it goes on at the tick where it was; a trade has the tick's name, so none is made twice.
set -eu
. "$(dirname "$0")/book.sh"

# Averages are in thousandths of a cent.
tick=0 price=$START_PRICE chance=$SEED
fast=$((price * 1000)) slow=$((price * 1000))
[ ! -e market ] || read -r tick price chance fast slow < market
holding=$(held)

while [ ! -e stop ]; do
	tick=$((tick + 1))
	# Lehmer's generator: enough for a paper market.
	chance=$((chance * 16807 % 2147483647))
	price=$((price + chance % 81 - 40))
	[ "$price" -gt 0 ] || price=1
	fast=$((fast + (price * 1000 - fast) / 3))
	slow=$((slow + (price * 1000 - slow) / 12))
	side=
	if [ "$fast" -gt "$slow" ] && [ $((holding + LOT)) -le "$MAX_HELD" ] && [ $(((holding + LOT) * price)) -le "$CAPITAL" ]; then
		side=BUY
	elif [ "$fast" -lt "$slow" ] && [ "$holding" -ge "$LOT" ]; then
		side=SELL
	fi
	if [ -n "$side" ]; then
		trade "$tick" "$side" "$LOT" "$price"
		holding=$(held)
	fi
	replace market "$tick $price $chance $fast $slow"
	sleep "$TICK"
done
echo "stopped: $(cat stop)"
