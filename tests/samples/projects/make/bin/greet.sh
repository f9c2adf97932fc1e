#!/bin/sh
# Greets by name.
# TODO: greet several people at once
if [ -n "$1" ]; then
    echo "Hello, $1"
else
    echo "Hello"
fi
