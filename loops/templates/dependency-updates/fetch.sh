#!/bin/sh
# Asks the registries what is newer than what the lock files name, tries each update once in this private copy, so that
# everything it needs is downloaded, and names those that work in updates.jsonl.
# Nothing of a package runs here: cargo only downloads, and npm is told to run no scripts.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/change.sh"

# The sandbox tells these programs to stay offline; this step alone may reach its registries.
export CARGO_NET_OFFLINE=false npm_config_offline=false
found=$LOOPWRIGHT_STATE/updates.next
: > "$found"

# One newer version: kind of project, package, version now, newer version.
offer() {
	kind=$1 package=$2 now=$3 newer=$4
	if ! change "$kind" "$package" "$newer" || ! download "$kind"; then
		echo "$package $newer can't be used together with the rest; left out" >&2
	elif [ -n "$(git status --porcelain)" ]; then
		printf '{"key": "%s %s", "title": "Update %s from %s to %s", "detail": "%s", "should": "%s is %s"}\n' \
			"$kind" "$package" "$package" "$now" "$newer" "$newer" "$package" "$newer" >> "$found"
	fi
	git checkout -q -f -- .
}

# Names and versions come from a registry: what does not look like one is not believed.
plain() {
	LC_ALL=C grep -E '^[A-Za-z0-9@/_.-]+ [A-Za-z0-9.+-]+ [A-Za-z0-9.+-]+$'
}

if [ -e Cargo.lock ]; then
	cargo fetch --quiet --locked
	# `Updating a v1.0.0 -> v1.1.0 (available: v2.0.0)`, `Unchanged b v1.0.0 (available: v2.0.0)`
	cargo update --dry-run --verbose 2>&1 | sed -n -e 's/^ *Updating \([^ ]*\) v\([^ ]*\) -> v\([^ ]*\).*/\1 \2 \3/p' \
		-e 's/^ *Unchanged \([^ ]*\) v\([^ ]*\) (available: v\([^ )]*\).*/\1 \2 \3/p' > /tmp/newer
	plain < /tmp/newer | while read -r package now newer; do offer cargo "$package" "$now" "$newer"; done
fi

if [ -e package-lock.json ]; then
	npm ci --ignore-scripts --no-audit --no-fund --silent
	# It ends with 1 where there is something newer.
	npm outdated --json > /tmp/outdated || true
	rm -rf node_modules
	node -e '
		const all = JSON.parse(require("fs").readFileSync("/tmp/outdated", "utf8") || "{}");
		for (const [name, is] of Object.entries(all)) console.log(name, is.current, is.latest);' > /tmp/newer
	plain < /tmp/newer | while read -r package now newer; do offer npm "$package" "$now" "$newer"; done
fi

mv "$found" "$LOOPWRIGHT_STATE/updates.jsonl"
echo "$(wc -l < "$LOOPWRIGHT_STATE/updates.jsonl") updates"
