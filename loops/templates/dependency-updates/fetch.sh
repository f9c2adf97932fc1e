#!/bin/sh
# Asks the registries what is newer than what the lock files name, and tries each update once in this private copy: so what it
# needs gets downloaded, and its change to manifest and lock file is kept as a patch for the maker, who has no network.
# updates/list names those that can be used together with the rest.
# Nothing of a package runs here: cargo only downloads, and npm is told to run no scripts.
set -eu
cd "$LOOPWRIGHT_WORKSPACE"
# The sandbox tells these programs to stay offline; this step alone may reach its registries.
export CARGO_NET_OFFLINE=false npm_config_offline=false npm_config_ignore_scripts=true npm_config_loglevel=error
found=$LOOPWRIGHT_STATE/updates.next
rm -rf "$found"
mkdir "$found"

# Gives a package its newer version, and downloads whatever the lock file names then.
change() {
	case $1 in
	cargo)
		# Where the requirement allows it, the lock file is all that changes.
		cargo update --quiet -p "$2" --precise "$3" 2> /dev/null || {
			require "$2" "$3" && cargo update --quiet -p "$2" --precise "$3"
		} && cargo fetch --quiet --locked
		;;
	npm) npm install --package-lock-only "$2@$3" && npm ci && rm -rf node_modules ;;
	esac
}

# Writes the version into every manifest that names the crate: `a = "1"` and `a = { version = "1" }`.
require() {
	git ls-files -z -- 'Cargo.toml' '*/Cargo.toml' | xargs -0 sed -i -E \
		-e "s/^($1[[:space:]]*=[[:space:]]*)\"[^\"]*\"/\\1\"$2\"/" \
		-e "s/^($1[[:space:]]*=[[:space:]]*\{.*version[[:space:]]*=[[:space:]]*)\"[^\"]*\"/\\1\"$2\"/"
}

# One newer version: kind of project, package, version now, newer version.
offer() {
	if change "$1" "$2" "$4" < /dev/null > /dev/null; then
		patch=$(printf '%s %s' "$1" "$2" | sha256sum | cut -d ' ' -f 1).patch
		git diff > "$found/$patch"
		[ ! -s "$found/$patch" ] ||
			printf '{"key": "%s %s", "title": "Update %s from %s to %s", "should": "%s is %s"}\n' \
				"$1" "$2" "$2" "$3" "$4" "$2" "$4" >> "$found/list"
	else
		echo "$2 $4 can't be used together with the rest; left out" >&2
	fi
	git checkout -q -f -- .
}

# Names and versions come from a registry: what does not look like one is not believed.
offer_all() {
	LC_ALL=C grep -E '^[A-Za-z0-9@/_.-]+ [A-Za-z0-9.+-]+ [A-Za-z0-9.+-]+$' /tmp/newer |
		while read -r package now newer; do offer "$1" "$package" "$now" "$newer"; done
}

: > "$found/list"
if [ -e Cargo.lock ]; then
	cargo fetch --quiet --locked
	# `Updating a v1.0.0 -> v1.1.0 (available: v2.0.0)`, `Unchanged b v1.0.0 (available: v2.0.0)`
	cargo update --dry-run --verbose 2>&1 | sed -n -e 's/^ *Updating \([^ ]*\) v\([^ ]*\) -> v\([^ ]*\).*/\1 \2 \3/p' \
		-e 's/^ *Unchanged \([^ ]*\) v\([^ ]*\) (available: v\([^ )]*\).*/\1 \2 \3/p' > /tmp/newer
	offer_all cargo
fi
if [ -e package-lock.json ]; then
	npm ci > /dev/null
	# It ends with 1 where there is something newer.
	npm outdated --json > /tmp/outdated || true
	rm -rf node_modules
	node -e '
		const all = JSON.parse(require("fs").readFileSync("/tmp/outdated", "utf8") || "{}");
		for (const [name, is] of Object.entries(all)) console.log(name, is.current, is.latest);' > /tmp/newer
	offer_all npm
fi

rm -rf "$LOOPWRIGHT_STATE/updates"
mv "$found" "$LOOPWRIGHT_STATE/updates"
echo "$(wc -l < "$LOOPWRIGHT_STATE/updates/list") updates"
