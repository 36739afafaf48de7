#!/bin/sh
# One order from the tap to the points, and every place that has a record of it.
exec python3 "$(dirname "$0")/lib/one_life.py"
