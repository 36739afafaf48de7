#!/bin/sh
# Money is held when an order is placed, or there is no order: declined, frozen, killed, closed.
exec python3 "$(dirname "$0")/lib/payments.py"
