#!/bin/sh
# One order on a WebSocket, as its customer follows it.
exec python3 "$(dirname "$0")/lib/order_socket.py"
