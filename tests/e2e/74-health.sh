#!/bin/sh
# Who asks by gRPC whether a daemon is well hears what /readyz says: also while Postgres is away.
exec python3 "$(dirname "$0")/lib/health.py"
