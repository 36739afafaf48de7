#!/bin/sh
# Temporal's state is in the shared Postgres, its own user's: who gets in, what is there, and that
# an open workflow outlives kill -9 of Temporal and of Postgres. And the other store still works.
# stack: 2
exec python3 "$(dirname "$0")/lib/temporal_store.py"
