#!/bin/sh
# What an order's workflow does with the money, by the provider's own books.
# stack: 2
exec python3 "$(dirname "$0")/lib/workflow_money.py"
