#!/bin/sh
# The same Idempotency-Key from many clients at once: one order. ROUNDS=1000 is the long form.
exec python3 "$(dirname "$0")/lib/one_key.py"
