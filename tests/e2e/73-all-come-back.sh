#!/bin/sh
# A gateway that was started anew, and all its clients coming back at once.
exec python3 "$(dirname "$0")/lib/all_come_back.py"
