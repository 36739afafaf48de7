"""Two clients of what is pushed: server-sent events and WebSocket, each a few lines over a socket."""
import base64
import json
import os
import socket
import struct
import time
import urllib.parse

import shop


class Refused(Exception):
    """The server answered, and did not open the stream: .status, .body, .headers."""

    def __init__(self, status, head, body):
        super().__init__(f"{status}: {body}")
        self.status, self.head, self.body = status, head, body


def connect(url, lines, timeout):
    """(socket, buffered file) after a GET with those header lines; the status line and headers are read."""
    place = urllib.parse.urlsplit(url)
    sock = socket.create_connection((place.hostname, place.port), timeout)
    request = [f"GET {place.path} HTTP/1.1", f"Host: {place.netloc}", *lines, "", ""]
    sock.sendall("\r\n".join(request).encode())
    file = sock.makefile("rb")
    status = int(file.readline().split()[1])
    head = {}
    while line := file.readline().strip():
        name, value = line.decode().split(":", 1)
        head[name.lower()] = value.strip()
    return sock, file, status, head


class Events:
    """GET /orders/{id}/events. next() gives (id, event, data); a comment is (None, ":", text); None at its end."""

    def __init__(self, path, token, last_id=None, url=None, timeout=shop.PATIENCE_S):
        lines = [f"Authorization: Bearer {token}", "Accept: text/event-stream"]
        lines += [f"Last-Event-ID: {last_id}"] if last_id is not None else []
        self.sock, self.file, self.status, self.head = connect((url or shop.URL) + path, lines, timeout)
        if self.status != 200:
            length = int(self.head.get("content-length", 0))
            body = self.file.read(length).decode()
            self.close()
            raise Refused(self.status, self.head, body)
        self.chunked = self.head.get("transfer-encoding") == "chunked"
        self.buffer = b""

    def _more(self):
        if not self.chunked:
            data = self.file.read1(65536)
            self.buffer += data
            return bool(data)
        size = int(self.file.readline().strip() or b"0", 16)
        self.buffer += self.file.read(size)
        self.file.readline()
        return size > 0

    def next(self):
        while b"\n\n" not in self.buffer:
            if not self._more():
                return None
        block, self.buffer = self.buffer.split(b"\n\n", 1)
        fields = {}
        for line in block.decode().splitlines():
            if line.startswith(":"):
                return None, ":", line[1:].strip()
            name, value = line.split(": ", 1)
            fields[name] = value
        seq = int(fields["id"]) if "id" in fields else None
        return seq, fields.get("event"), json.loads(fields["data"])

    def until(self, accept, seconds=shop.PATIENCE_S):
        """The first event that accept() likes; the others are dropped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.sock.settimeout(max(0.1, end - time.monotonic()))
            got = self.next()
            assert got is not None, "the stream ended"
            if accept(got):
                return got
        raise AssertionError(f"not seen in {seconds} s")

    def order(self, status, seconds=shop.PATIENCE_S):
        return self.until(lambda e: e[1] == "order" and e[2]["status"] == status, seconds)

    def close(self):
        self.file.close()
        self.sock.close()


class WebSocket:
    """A client that speaks text frames; next() gives the message as JSON, or ("close", code)."""

    def __init__(self, path, token, url=None, by_protocol=False, timeout=shop.PATIENCE_S):
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        if by_protocol:
            lines.append(f"Sec-WebSocket-Protocol: bearer, {token}")
        elif token:
            lines.append(f"Authorization: Bearer {token}")
        self.sock, self.file, self.status, self.head = connect((url or shop.URL) + path, lines, timeout)
        if self.status != 101:
            body = self.file.read(int(self.head.get("content-length", 0))).decode()
            self.close()
            raise Refused(self.status, self.head, body)

    def send(self, message, opcode=1):
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        mask = os.urandom(4)
        size = bytes([len(data) | 0x80]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        self.sock.sendall(bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def next(self):
        while True:
            first, second = self.file.read(2)
            size = second & 0x7F
            if size == 126:
                size, = struct.unpack(">H", self.file.read(2))
            elif size == 127:
                size, = struct.unpack(">Q", self.file.read(8))
            data = self.file.read(size)
            opcode = first & 0x0F
            if opcode == 8:
                return "close", struct.unpack(">H", data[:2])[0] if data else 1005
            if opcode == 9:
                self.send(data, 10)
            elif opcode == 1:
                return json.loads(data)

    def until(self, accept, seconds=shop.PATIENCE_S):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.sock.settimeout(max(0.1, end - time.monotonic()))
            got = self.next()
            if not isinstance(got, tuple) and accept(got):
                return got
            assert not isinstance(got, tuple), f"closed: {got}"
        raise AssertionError(f"not seen in {seconds} s")

    def snapshot(self, seconds=shop.PATIENCE_S):
        return self.until(lambda m: m["type"] == "snapshot", seconds)

    def order(self, order, status, seconds=shop.PATIENCE_S):
        return self.until(lambda m: m["type"] == "order" and m["order"]["id"] == order and m["order"]["status"] == status, seconds)

    def close(self):
        self.file.close()
        self.sock.close()
