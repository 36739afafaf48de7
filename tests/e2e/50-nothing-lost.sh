#!/bin/sh
# Orders under random kill -9 of everything on the way to Kafka: each event arrives, in order. ORDERS=1000 is the long form.
# stack: 2
exec python3 "$(dirname "$0")/lib/nothing_lost.py"
