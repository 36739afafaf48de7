#!/bin/sh
# A queue of the largest orders there can be, on a screen and on the phones of those who wait.
exec python3 "$(dirname "$0")/lib/long_queue.py"
