#!/bin/sh
# tools/temporal-proto/sdk.sh: prints the folder of a Python environment with Temporal's official
# SDK, pinned here: the judge of our worker's histories, and the source of the API's .proto files.
exec "$(dirname "$0")/../venv.sh" temporalio 1.35.0
