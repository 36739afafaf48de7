#!/bin/sh
# Every route that takes somebody's id, from /openapi.json, walked by those it is none of the business of.
exec python3 "$(dirname "$0")/lib/strangers.py"
