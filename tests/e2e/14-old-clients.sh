#!/bin/sh
# What clients of v1 asked and what their answers had (lib/recorded-v1.json), asked again today.
exec python3 "$(dirname "$0")/lib/old_clients.py"
