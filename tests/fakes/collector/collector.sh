#!/bin/sh
# tests/fakes/collector/collector.sh PORT FILE [--silent]: becomes the collector, see collector.py.
# --check OURS.desc: compares our proto/opentelemetry with upstream's instead, see upstream.py.
# --fetch: only sees to its packages.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=$("$here/../../../tools/venv.sh" opentelemetry-exporter-otlp-proto-grpc 1.30.0)
case $1 in
--fetch) ;;
--check) exec "$venv/bin/python" -B "$here/upstream.py" "$2" ;;
*) exec "$venv/bin/python" -B "$here/collector.py" "$@" ;;
esac
