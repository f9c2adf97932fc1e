#!/bin/sh
# The peer of the benchmark: one attempt by plain git, as a person would script it. No sandbox, no journal, no evidence.
# It makes the same two checkouts (as parallel as git can), runs the same maker and gates, and brings the change back the same way.
#
#   plain.sh BASE RESULTS PLACE COMMIT NAME MAKER GATE...
#
#   BASE     bare repository that holds COMMIT       PLACE  folder for the two checkouts, on the same file system
#   RESULTS  bare repository that borrows from BASE  NAME   names the attempt; the pull request is refs/pr/NAME
set -eu
base=$1 results=$2 place=$3 commit=$4 name=$5 maker=$6
shift 6
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_NAME=plain GIT_AUTHOR_EMAIL=plain@localhost
export GIT_COMMITTER_NAME=plain GIT_COMMITTER_EMAIL=plain@localhost
tree=$place/$name-maker fresh=$place/$name-gates bundle=$place/$name.bundle
attempt=refs/attempts/$name

# The maker works in a private clone.
git clone --quiet --no-hardlinks --no-checkout "$base" "$tree"
git -C "$tree" -c advice.detachedHead=false -c checkout.workers=0 checkout --quiet -B work "$commit"
(cd "$tree" && "$maker" < /dev/null > /dev/null)

# Its change comes back as one commit in a bundle, every object checked.
git -C "$tree" add --all .
git -C "$tree" commit --quiet --message "attempt $name"
git -C "$tree" bundle create --quiet "$bundle" work "^$commit"
git --git-dir="$results" -c transfer.fsckObjects=true fetch --quiet --no-write-fetch-head "$bundle" "+refs/heads/work:$attempt"
rm -rf "$tree" "$bundle"

# The gates run in a fresh clone of the attempt.
git clone --quiet --no-hardlinks --no-checkout "$base" "$fresh"
git -C "$fresh" fetch --quiet --no-write-fetch-head "$results" "$attempt:refs/heads/work"
git -C "$fresh" -c advice.detachedHead=false -c checkout.workers=0 checkout --quiet work
for gate in "$@"; do
	(cd "$fresh" && "$gate" < /dev/null > /dev/null)
done
git --git-dir="$results" diff --numstat "$commit" "$attempt" > /dev/null
rm -rf "$fresh"

# The pull request.
git --git-dir="$results" diff "$commit" "$attempt" > /dev/null
git --git-dir="$results" update-ref "refs/pr/$name" "$attempt"
