#!/bin/sh
# Postgres is killed again and again under load: what was acknowledged is there, and once. ORDERS=1000 is the long form.
exec python3 "$(dirname "$0")/lib/postgres_killed.py"
