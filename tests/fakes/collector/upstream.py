#!/usr/bin/env python3
"""Compares our proto/opentelemetry with the official messages: each field's name, number, type and label, each
enum value's name and number.

    collector.sh --check OURS.desc

Says what differs and ends with 1."""
import sys

from google.protobuf import descriptor_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

wrong, compared = [], 0


def official():
    for module in (trace_service_pb2, trace_pb2, resource_pb2, common_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        yield file


upstream = list(official())
messages = {m.name: m for file in upstream for m in file.message_type}
services = {f"{file.package}.{s.name}": s for file in upstream for s in file.service}


def bare(type_name):
    """Without the package, which is another with us."""
    return ".".join(part for part in type_name.split(".") if part[:1].isupper())


def likeness(field):
    return field.number, field.type, field.label, bare(field.type_name), field.HasField("oneof_index")


def compare(ours, theirs):
    global compared
    fields = {f.name: f for f in theirs.field}
    for field in ours.field:
        compared += 1
        if field.name not in fields or likeness(field) != likeness(fields[field.name]):
            wrong.append(f"{ours.name}.{field.name} = {field.number} is not what upstream has")
    enums = {e.name: e for e in theirs.enum_type}
    for enum in ours.enum_type:
        known = {(v.name, v.number) for v in enums[enum.name].value} if enum.name in enums else set()
        for value in enum.value:
            compared += 1
            if (value.name, value.number) not in known:
                wrong.append(f"{enum.name}: {value.name} = {value.number} is not what upstream has")


with open(sys.argv[1], "rb") as descriptors:
    for message in descriptor_pb2.FileDescriptorSet.FromString(descriptors.read()).file[0].message_type:
        if message.name in messages:
            compare(message, messages[message.name])
        else:
            wrong.append(f"upstream has no {message.name}")
# the path that common/telemetry calls
if "Export" not in {m.name for m in services["opentelemetry.proto.collector.trace.v1.TraceService"].method}:
    wrong.append("upstream has no Export")
for line in wrong:
    print(line)
print(f"{compared} fields and values compared, {len(wrong)} differ")
sys.exit(1 if wrong or compared < 30 else 0)
