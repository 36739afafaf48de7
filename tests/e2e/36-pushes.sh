#!/bin/sh
# From an order to what is on somebody's lock screen, by way of a stand-in for Apple's service.
exec python3 "$(dirname "$0")/lib/pushes.py"
