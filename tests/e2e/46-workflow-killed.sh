#!/bin/sh
# kill -9 of order-service and of Temporal at every step of an order's workflow: it goes on and ends right.
# stack: 2
exec python3 "$(dirname "$0")/lib/workflow_kill.py"
