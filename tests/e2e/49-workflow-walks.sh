#!/bin/sh
# Random lives under kill -9 of everything the workflow leans on: no order contradicts its payment. ORDERS=1000 is the long form.
# stack: 2
exec python3 "$(dirname "$0")/lib/workflow_walks.py"
