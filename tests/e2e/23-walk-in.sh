#!/bin/sh
# Whom an order counts for that staff took down for somebody else.
exec python3 "$(dirname "$0")/lib/walk_in.py"
