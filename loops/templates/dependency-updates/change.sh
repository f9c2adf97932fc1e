# How a manifest and its lock file get a newer version: used with a network by fetch.sh, without one by update.sh.

# change KIND PACKAGE VERSION
change() {
	case $1 in
	cargo)
		# Where the requirement allows it, the lock file is all that changes.
		cargo update --quiet -p "$2" --precise "$3" 2> /dev/null || {
			require "$2" "$3" && cargo update --quiet -p "$2" --precise "$3"
		}
		;;
	npm)
		npm install --package-lock-only --ignore-scripts --no-audit --no-fund --silent "$2@$3"
		;;
	esac
}

# Writes the new version into every manifest that names the package: `a = "1"` and `a = { version = "1" }`.
require() {
	git ls-files -z -- 'Cargo.toml' '*/Cargo.toml' | xargs -0 sed -i -E \
		-e "s/^($1[[:space:]]*=[[:space:]]*)\"[^\"]*\"/\\1\"$2\"/" \
		-e "s/^($1[[:space:]]*=[[:space:]]*\{.*version[[:space:]]*=[[:space:]]*)\"[^\"]*\"/\\1\"$2\"/"
}

# Downloads whatever the changed lock file names.
download() {
	case $1 in
	cargo) cargo fetch --quiet --locked ;;
	npm) npm ci --ignore-scripts --no-audit --no-fund --silent && rm -rf node_modules ;;
	esac
}
