#!/bin/sh
# What is open when its access token ends is told to sign in again, and goes on from there.
exec python3 "$(dirname "$0")/lib/token_end.py"
