#!/bin/sh
# Does what the issues ask for; of the missing prices it finds another one each round, and never the last.
mkdir -p docs
case "$LOOPWRIGHT_FINDING_KEY" in
  1) echo 'Welcome to the shop.' > docs/greeting.md ;;
  2) echo 'Open from nine to five.' > docs/hours.md ;;
  *)
    fruit=$(echo apple pear plum | cut -d ' ' -f "$LOOPWRIGHT_ITERATION")
    sed -i "s/^$fruit=missing/$fruit=ok/" src/prices.conf ;;
esac
echo '{"loopwright": {"summary": "changed a file", "cost": "$0.10"}}'
