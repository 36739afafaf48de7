#!/bin/sh
# Two gateways and two order-services: it does not matter which of them one is at.
exec python3 "$(dirname "$0")/lib/replicas.py"
