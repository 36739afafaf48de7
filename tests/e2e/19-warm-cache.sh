#!/bin/sh
# The menu is at hand before the first customer asks, and stays so under load.
exec python3 "$(dirname "$0")/lib/warm_cache.py"
