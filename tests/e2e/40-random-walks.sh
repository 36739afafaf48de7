#!/bin/sh
# Random commands by random people, against a model of the state machine. STEPS=10000 is the long form.
exec python3 "$(dirname "$0")/lib/walks.py"
