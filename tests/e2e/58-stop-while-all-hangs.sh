#!/bin/sh
# A daemon that is told to stop while what it leans on stands still: it ends in its 30 s, and nothing is lost.
# stack: 2
exec python3 "$(dirname "$0")/lib/stop_hung.py"
