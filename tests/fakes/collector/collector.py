#!/usr/bin/env python3
"""An OpenTelemetry collector that is none of ours: grpcio and the official messages, from PyPI.

    collector.sh PORT FILE [--silent]

Each span that comes is a line of JSON in FILE; once it listens, FILE.ready is there. --silent: it
takes calls and never answers, as one that hangs. Ends by SIGTERM."""
import concurrent.futures
import json
import signal
import sys
import time

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2


def plain(attributes):
    return {a.key: getattr(a.value, a.value.WhichOneof("value") or "string_value") for a in attributes}


def lines(request):
    for resource in request.resource_spans:
        about = plain(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield {"service": about.get("service.name"), "resource": about, "name": span.name,
                       "kind": trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                       "trace": span.trace_id.hex(), "span": span.span_id.hex(), "parent": span.parent_span_id.hex(),
                       "began": span.start_time_unix_nano, "ended": span.end_time_unix_nano,
                       "error": span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                       "attributes": plain(span.attributes)}


class Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, file, is_silent):
        self.file, self.is_silent = file, is_silent

    def Export(self, request, context):
        while self.is_silent and context.is_active():
            time.sleep(0.1)
        self.file.write("".join(json.dumps(line) + "\n" for line in lines(request)))
        self.file.flush()
        return trace_service_pb2.ExportTraceServiceResponse()


def main(port, path, *options):
    with open(path, "a", encoding="utf-8") as file:
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Traces(file, "--silent" in options), server)
        if not server.add_insecure_port(f"127.0.0.1:{port}"):
            sys.exit(f"port {port} is taken")
        server.start()
        signal.signal(signal.SIGTERM, lambda *_: server.stop(0.2))
        with open(path + ".ready", "w", encoding="utf-8"):
            pass
        server.wait_for_termination()


main(*sys.argv[1:])
