#!/bin/sh
# Temporal away for the whole life of orders: nobody waits, and it catches up without a wrong time-out.
# stack: 2
exec python3 "$(dirname "$0")/lib/workflow_away.py"
