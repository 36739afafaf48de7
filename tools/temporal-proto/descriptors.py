"""Reads a FileDescriptorSet with nothing but Python: the few fields of descriptor.proto that
say how a message looks on the wire. Field numbers are those of google/protobuf/descriptor.proto."""

SCALARS = {1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 6: "fixed64", 7: "fixed32",
           8: "bool", 9: "string", 12: "bytes", 13: "uint32", 15: "sfixed32", 16: "sfixed64",
           17: "sint32", 18: "sint64"}
ENUM, MESSAGE, REPEATED = 14, 11, 3


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """number -> list of values: ints, or bytes of what has a length."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def text(found, number):
    return found[number][0].decode() if number in found else ""


def number(found, key, default=0):
    value = found.get(key, [default])[0]
    return value - (1 << 64) if value >= 1 << 63 else value


class Field:
    def __init__(self, data):
        f = fields(data)
        self.name, self.number = text(f, 1), number(f, 3)
        self.label, self.type, self.type_name = number(f, 4), number(f, 5), text(f, 6).lstrip(".")
        self.optional = bool(number(f, 17))
        self.oneof = number(f, 9) if 9 in f and not self.optional else None


class Enum:
    def __init__(self, data, package):
        f = fields(data)
        self.name = text(f, 1)
        self.full = f"{package}.{self.name}"
        values = [fields(v) for v in f.get(2, [])]
        self.values = [(text(v, 1), number(v, 2)) for v in values]


class Message:
    def __init__(self, data, package):
        f = fields(data)
        self.name = text(f, 1)
        self.full = f"{package}.{self.name}"
        self.fields = [Field(x) for x in f.get(2, [])]
        self.nested = [Message(x, self.full) for x in f.get(3, [])]
        self.enums = [Enum(x, self.full) for x in f.get(4, [])]
        self.oneofs = [text(fields(x), 1) for x in f.get(8, [])]
        self.is_map = bool(number(fields(f[7][0]), 7)) if 7 in f else False


def read(path):
    """All messages and enums of the set by full name, nested ones too."""
    messages, enums = {}, {}

    def add(message):
        messages[message.full] = message
        for enum in message.enums:
            enums[enum.full] = enum
        for nested in message.nested:
            add(nested)

    for data in fields(open(path, "rb").read()).get(1, []):
        f = fields(data)
        for m in f.get(4, []):
            add(Message(m, text(f, 2)))
        for e in f.get(5, []):
            enum = Enum(e, text(f, 2))
            enums[enum.full] = enum
    return messages, enums


def kept(path):
    """The lines of keep.txt: [(file, [(full name, fields or None)])]."""
    files = []
    for line in open(path):
        line = line.split("#")[0].strip()
        if line.startswith("["):
            files.append((line.strip("[]"), []))
        elif line:
            name, _, only = line.partition(":")
            full = name.strip() if name.startswith("google.") else "temporal.api." + name.strip()
            files[-1][1].append((full, only.split() or None))
    return files
