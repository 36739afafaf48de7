#!/bin/sh
# How many orders one customer may have open, by an order-service with a low bound.
exec python3 "$(dirname "$0")/lib/open_orders.py"
