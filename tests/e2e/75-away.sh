#!/bin/sh
# Parts that are away: what needs them says so at once, the rest works, and all comes back by itself.
exec python3 "$(dirname "$0")/lib/away.py"
