#!/usr/bin/env python3
"""Compares our proto/temporal with upstream: each field's name, number, type and label, each enum
value's name and number.

    tools/temporal-proto/check.py UPSTREAM.desc OURS.desc

Says what differs and ends with 1."""
import pathlib
import sys

import descriptors as d

upstream_messages, upstream_enums = d.read(sys.argv[1])
our_messages, our_enums = d.read(sys.argv[2])
names = {full.split(".")[-1]: full
         for _, list_ in d.kept(pathlib.Path(__file__).resolve().parent / "keep.txt")
         for full, _ in list_}
wrong, compared = [], 0


def theirs(full):
    """Upstream's name of our temporal.X or temporal.X.Nested."""
    first, dot, rest = full.removeprefix("temporal.").partition(".")
    return names.get(first, "?" + first) + dot + rest


def same_type(ours, upstream):
    if (ours.type, ours.label) != (upstream.type, upstream.label):
        return False
    if ours.type == d.MESSAGE:
        return theirs(ours.type_name) == upstream.type_name
    return ours.type != d.ENUM or ours.type_name.split(".")[-1] == upstream.type_name.split(".")[-1]


for full, message in our_messages.items():
    other = upstream_messages.get(theirs(full))
    if not other:
        wrong.append(f"{full}: upstream has no {theirs(full)}")
        continue
    by_name = {f.name: f for f in other.fields}
    for field in message.fields:
        compared += 1
        twin = by_name.get(field.name)
        if not twin or twin.number != field.number or not same_type(field, twin):
            wrong.append(f"{full}.{field.name} = {field.number} is not what upstream has")
        elif (field.oneof is None) != (twin.oneof is None):
            wrong.append(f"{full}.{field.name}: a oneof here or there only")
for full, enum in our_enums.items():
    twins = [e for e in upstream_enums.values() if e.name == enum.name]
    values = set().union(*(e.values for e in twins))
    for value in enum.values:
        compared += 1
        if value not in values:
            wrong.append(f"{full}: {value[0]} = {value[1]} is not what upstream has")
for line in wrong:
    print(line)
print(f"{compared} fields and values compared, {len(wrong)} differ")
sys.exit(1 if wrong or compared < 300 else 0)
