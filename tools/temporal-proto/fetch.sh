#!/bin/sh
# tools/temporal-proto/fetch.sh: prints the path of Temporal's own protos as a descriptor set, made
# from the .proto files that the SDK of sdk.sh brings.
set -eu
folder=$("$(dirname "$0")/sdk.sh")
set=$folder/upstream.desc
if [ ! -s "$set" ]; then
    protos=$(echo "$folder"/lib/python3*/site-packages/temporalio/bridge/sdk-core/crates)
    protoc -I"$protos/protos/protos/api_upstream" --include_imports \
        --descriptor_set_out="$set.new" temporal/api/workflowservice/v1/request_response.proto
    mv "$set.new" "$set"
fi
echo "$set"
