#!/bin/sh
# Copies a folder into an archive beside a list of its files' SHA-256, reads the archive back, and compares. Only then it
# gets its name and the oldest ones go: whatever goes wrong, the older copies are as they were.
# Restore: tar -xf FOLDER-DATE.tar -C SOMEWHERE; (cd SOMEWHERE && sha256sum --zero -c ../FOLDER-DATE.sha256)
# Needs GNU tar, find, sort and sha256sum.
set -eu

# The first of the granted paths.
source=$(printf "%s\n" "$LOOPWRIGHT_READ" | head -n 1) target=$(printf "%s\n" "$LOOPWRIGHT_WRITE" | head -n 1)
cd "$LOOPWRIGHT_STATE"

# What came of it, for the report: the run, a word, and a text.
told() {
	printf '%s\t%s\t%s\n' "$LOOPWRIGHT_RUN" "$1" "$2" > result.next
	mv result.next result
	echo "$2"
}
fail() {
	rm -f "$part".*
	told failed "$1"
	exit 1
}

# Nothing in an archive's name is anything but a letter, a digit, a hyphen or an underscore.
name=$(basename "$source" | LC_ALL=C tr -c 'A-Za-z0-9\n-' _)
part=$target/.$name.part
rm -f "$part".*
[ -n "$(find "$source" -type f -print -quit)" ] || fail "$source has no file in it: that is no state to keep"

# The names end in NUL, so that every name that a file can have is read back as it was.
(cd "$source" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --zero) > "$part.sha256" ||
	fail "$source can't be read whole, or $target has no room for the list"
tar --create --sort=name --hard-dereference --directory="$source" --file="$part.tar" . ||
	fail "no copy: $source changed or can't be read, or $target has no room; see the step's output"
sync "$part.tar" "$part.sha256" || fail "$target does not keep what is written to it"

# Each file as it comes out of the archive, in the archive's order.
tar --extract --file="$part.tar" --to-command='printf "%s  %s\0" "$(sha256sum | cut -d " " -f 1)" "$TAR_FILENAME"' |
	LC_ALL=C sort -z -k 2 > "$part.back" || fail "the copy in $target can't be read back"
LC_ALL=C sort -z -k 2 "$part.sha256" | cmp -s - "$part.back" ||
	fail "the copy differs from $source, which changed while it was copied"

copy=$target/$name-$(date +%Y-%m-%dT%H%M%S)
rm -f "$part.back"
mv "$part.sha256" "$copy.sha256"
mv "$part.tar" "$copy.tar"

# By their names, which are their times.
kept=0
for old in $(cd "$target" && ls -1 | grep -E "^$name-[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}\.tar$" | LC_ALL=C sort -r); do
	kept=$((kept + 1))
	[ "$kept" -le "$KEEP" ] || rm -f "$target/$old" "$target/${old%.tar}.sha256"
done
[ "$kept" -le "$KEEP" ] || kept=$KEEP

files=$(tr -cd '\0' < "$copy.sha256" | wc -c)
told copied "$copy.tar: $files files, $(wc -c < "$copy.tar") bytes, compared; $kept copies kept"
