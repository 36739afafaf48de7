#!/bin/sh
# One order as one trace, as a collector sees it that is none of ours; and what happens without it.
exec python3 "$(dirname "$0")/lib/traces.py"
