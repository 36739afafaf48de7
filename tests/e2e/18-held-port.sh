#!/bin/sh
# A daemon whose port an outgoing connection has when it starts: it waits, says so, and comes up.
exec python3 "$(dirname "$0")/lib/held_port.py"
