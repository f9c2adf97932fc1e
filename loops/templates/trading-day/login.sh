#!/bin/sh
# Logs in to the broker. Paper money needs none: this is its place, and LOGIN_FAILS says how many tries fail first.
set -eu
. "$(dirname "$0")/book.sh"
tried=0
[ ! -e login ] || read -r tried _ < login
tried=$((tried + 1))
if [ "$tried" -le "$LOGIN_FAILS" ]; then
	replace login "$tried refused"
	echo "the broker refused try $tried"
	exit 1
fi
replace login "$tried accepted"
echo "logged in at try $tried"
