#!/usr/bin/env python3
"""Writes proto/temporal/*.proto: the messages and fields that keep.txt names, with the numbers and
types of upstream, so that those cannot be mistyped.

    PYTHONDONTWRITEBYTECODE=1 tools/temporal-proto/make.py "$(tools/temporal-proto/fetch.sh)"

All land in one package of ours, 'temporal': the names of packages are not on the wire. A field
whose message is not kept falls out by itself."""
import pathlib
import sys

import descriptors as d

here = pathlib.Path(__file__).resolve().parent
out = here.parent.parent / "proto" / "temporal"
messages, enums = d.read(sys.argv[1])
files = d.kept(here / "keep.txt")
file_of = {full: name for name, list_ in files for full, _ in list_}
order = [name for name, _ in files]
enum_file = {}


def short(full):
    return full.split(".")[-1]


def local(full):
    """How a kept message is called here, with the messages it is nested in; None: not kept."""
    for name in file_of:
        if full == name or full.startswith(name + "."):
            return short(name) + full[len(name):], file_of[name]
    return None, None


def type_of(field, file, used):
    if field.type in d.SCALARS:
        return d.SCALARS[field.type]
    if field.type == d.ENUM and field.type_name in enums and not local(field.type_name)[0]:
        first = enum_file.setdefault(field.type_name, "enums")
        used.add(first)
        return short(field.type_name)
    name, where = local(field.type_name)
    if name and where != file:
        used.add(where)
    return name


def field_line(field, maps, file, used):
    entry = maps.get(field.type_name)
    if entry:
        value = type_of(entry.fields[1], file, used)
        kind = value and f"map<{d.SCALARS[entry.fields[0].type]}, {value}>"
    else:
        kind = type_of(field, file, used)
        if kind and field.label == d.REPEATED:
            kind = "repeated " + kind
    return kind and f"{kind} {field.name} = {field.number};"


def enum_lines(enum, indent=""):
    lines = [f"{indent}enum {enum.name} {{"]
    lines += [f"{indent}    {name} = {value};" for name, value in enum.values]
    return lines + [indent + "}"]


def message_lines(message, only, file, used, indent=""):
    lines = [f"{indent}message {message.name} {{"]
    maps = {n.full: n for n in message.nested if n.is_map}
    for nested in message.nested:
        if not nested.is_map:
            lines += message_lines(nested, None, file, used, indent + "    ")
    for enum in message.enums:
        lines += enum_lines(enum, indent + "    ")
    groups = {}
    for field in message.fields:
        line = field_line(field, maps, file, used) if not only or field.name in only else None
        if line and field.oneof is not None:
            groups.setdefault(field.oneof, []).append(line)
        elif line:
            lines.append(f"{indent}    {line}")
    for index, group in groups.items():
        lines.append(f"{indent}    oneof {message.oneofs[index]} {{")
        lines += [f"{indent}        {line}" for line in group] + [indent + "    }"]
    unknown = set(only or []) - {f.name for f in message.fields}
    if unknown:
        sys.exit(f"{message.full} has no {unknown}")
    return lines + [indent + "}"]


def write(name, what, used, body):
    imports = [f'import "temporal/{n}.proto";' for n in ["enums"] + order if n in used and n != name]
    head = [f"// Temporal's API, {what}: the part that common/temporal uses. Made by",
            "// tools/temporal-proto/make.py; the numbers are upstream's, and a test compares them.",
            'syntax = "proto3";', "package temporal;", ""]
    (out / f"{name}.proto").write_text("\n".join(head + imports + [""] * bool(imports) + body) + "\n")


out.mkdir(parents=True, exist_ok=True)
for name, list_ in files:
    used, body = set(), []
    for full, only in list_:
        if full not in messages:
            sys.exit(f"upstream has no message {full}")
        body += message_lines(messages[full], only, name, used) + [""]
    write(name, name, used, body[:-1])
body = []
for full in sorted(enum_file):
    body += enum_lines(enums[full]) + [""]
write("enums", "enums", set(), body[:-1])
print(f"{len(file_of)} messages, {len(enum_file)} enums")
