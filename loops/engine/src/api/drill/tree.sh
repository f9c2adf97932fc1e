#!/bin/sh
# Harmless and stubborn: it leaves group and session, forks twice, goes on forking, and ignores every polite signal.
trap '' TERM INT HUP
command -v setsid >/dev/null || setsid() { "$@"; }
leaf='trap "" TERM INT HUP; while :; do sleep 5; done'
hopper='trap "" TERM INT HUP; while :; do sleep 0.1; done'
for each in 1 2; do
    setsid sh -c "$leaf" &
    sh -c "$hopper" &
    (setsid sh -c "$leaf" &) &
done
while :; do sleep 1; done
