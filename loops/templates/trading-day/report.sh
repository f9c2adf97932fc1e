#!/bin/sh
# Writes report-<date>.md and .json from the book, once; a second run on one day gets a name of its own.
set -eu
. "$(dirname "$0")/book.sh"

day=$(cat day 2> /dev/null || date +%Y-%m-%d)
name=report-$day
[ ! -e "$name.json" ] || grep -q "\"run\": \"$run\"" "$name.json" || name=report-$day-$run
if [ -e "$name.json" ]; then
	echo "$name is written already"
	exit 0
fi

tried=0 login=never
[ ! -e login ] || read -r tried login < login
# Anybody may write the file: what would end a cell or a string is left out.
stopped=$(head -n 1 stop 2> /dev/null | tr -d '[:cntrl:]"\\|' || true)
best=$CAPITAL
[ ! -e marks ] || read -r best _ < marks

sums=$(ask '$2 == run && $5 > 0 { if ($4 == "BUY") { n++; bought += $5 * $6 } else { m++; sold += $5 * $6 } }
	END { printf "%d %.0f %d %.0f %.0f %d\n", n, bought, m, sold, sold - bought, held }')
read -r buys bought sells sold result holding <<END
$sums
END

money() { awk -v cents="$1" 'BEGIN { printf "%.2f", cents / 100 }'; }

cat > "$name.md.next" <<END
# Trading day $day

| | |
|---|---|
| login | $login, tries: $tried |
| purchases | $buys for $(money "$bought") |
| sales | $sells for $(money "$sold") |
| result | $(money "$result") |
| best mark | $(money "$best") |
| held at the end | $holding |
| ended before its time | ${stopped:-no} |
| run | $run |
END
cat > "$name.json.next" <<END
{"run": "$run", "day": "$day", "login": "$login", "tries": $tried, "purchases": $buys, "bought": $bought,
 "sales": $sells, "sold": $sold, "result": $result, "held": $holding, "stopped": "$stopped"}
END
mv "$name.md.next" "$name.md"
mv "$name.json.next" "$name.json"
echo "$name: result $(money "$result"), $holding held"
