# What the scripts of this loop share: its files in the state folder, and its book of trades.
#
# trades.csv has a row a trade, over all days, and is only ever appended to: id,run,tick,side,quantity,price,.
# A row without its full stop was cut off by a power cut and counts for nothing. The book is the only truth on what is
# held: whoever wants to know reads it.
# The other files are of the day and replaced as a whole:
#   day      its date                               login   how often the login was tried, and what came of it
#   market   tick, price and what comes next        marks   the best mark of the day, and the last
#   stop     why trading ended before the day did

cd "$LOOPWRIGHT_STATE"
book=trades.csv
run=$LOOPWRIGHT_RUN
[ -e "$book" ] || : >> "$book"

# Replaces file $1 by the words that follow.
replace() {
	file=$1
	shift
	printf '%s\n' "$*" > "$file.next"
	mv "$file.next" "$file"
}

# Asks the book: an awk program over its whole rows, with `run`.
ask() {
	awk -F, -v run="$run" "NF == 7 && \$7 == \".\" { held += (\$4 == \"BUY\" ? \$5 : -\$5) } NF == 7 && \$7 == \".\" && $1" "$book"
}

# What is held.
held() {
	ask '0 { } END { print held + 0 }'
}

# What the capital has become at price $1, in cents: one look at the book, as the engine goes on writing.
worth() {
	ask "\$2 == run { cash += (\$4 == \"BUY\" ? -1 : 1) * \$5 * \$6 } END { printf \"%.0f\\n\", $CAPITAL + cash + held * $1 }"
}

# Writes a trade into the book, once: its name in this run, side, quantity, price.
trade() {
	[ -z "$(ask "\$1 == \"$run/$1\" { print }")" ] || return 0
	# What a power cut left of a row gets an end of its own.
	[ -z "$(tail -c 1 "$book")" ] || echo >> "$book"
	printf '%s/%s,%s,%s,%s,%s,%s,.\n' "$run" "$1" "$run" "${tick:-0}" "$2" "$3" "$4" >> "$book"
	# Older systems know `sync` without a file alone.
	sync "$book" 2> /dev/null || sync
}
