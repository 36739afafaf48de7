#!/bin/sh
# A favourite that is kept can be ordered.
exec python3 "$(dirname "$0")/lib/favourites.py"
