#!/bin/sh
# What is pushed: one order over server-sent events, the queue over a WebSocket.
exec python3 "$(dirname "$0")/lib/pushed.py"
