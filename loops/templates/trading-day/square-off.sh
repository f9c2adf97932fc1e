#!/bin/sh
# Sells exactly what the book says is held, at the last price. Its row has the run's name and stands there even where
# nothing is held, so that a repeat finds it and does nothing.
set -eu
. "$(dirname "$0")/book.sh"
tick=0 price=$START_PRICE
[ ! -e market ] || read -r tick price _ < market
holding=$(held)
side=SELL
[ "$holding" -ge 0 ] || side=BUY
trade square-off "$side" "${holding#-}" "$price"
holding=$(held)
echo "$holding are held"
[ "$holding" -eq 0 ]
