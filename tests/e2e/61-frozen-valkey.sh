#!/bin/sh
# Valkey stands still: it is noticed within seconds, and nobody waits for it meanwhile.
exec python3 "$(dirname "$0")/lib/frozen_valkey.py"
