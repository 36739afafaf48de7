#!/bin/sh
# What the daemons answer by gRPC, as REST does not show it: called with identities of the test's own.
exec python3 "$(dirname "$0")/lib/grpc_calls.py"
