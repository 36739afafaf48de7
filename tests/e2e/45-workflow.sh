#!/bin/sh
# The workflow of an order on real Temporal: each way to its end, timers included.
# stack: 2
exec python3 "$(dirname "$0")/lib/workflow.py"
