"""1,000 open event streams on one gateway: what they weigh, whether memory comes back, and how long
a change takes from the barista's tap to the customer's stream."""
import re
import socket
import selectors
import time

from machine import PORTS, Daemon, rss_kib
from shop import ORDER, call, login, psql

STREAMS = 1000
ORDERS = 50  # each watched by twenty
WARM_UP = 50
AT_ONCE = 40
SETTLE_S = 40


class Streams:
    def __init__(self, port, token):
        self.port, self.token = port, token
        self.selector = selectors.DefaultSelector()
        self.order_of, self.had = {}, set()

    def open_many(self, orders, count):
        """Some at a time: order-service, asked for a snapshot each, refuses more than it can queue."""
        for number in range(count):
            self.open(orders[number % len(orders)])
            if number % AT_ONCE == AT_ONCE - 1 or number == count - 1:
                self.wait_opened()

    def open(self, order):
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.sendall((f"GET /orders/{order}/events HTTP/1.1\r\nHost: localhost\r\n"
                            f"Authorization: Bearer {self.token}\r\nAccept: text/event-stream\r\n\r\n").encode())
        self.selector.register(connection, selectors.EVENT_READ)
        self.order_of[connection] = order

    def hear(self, seconds, order=None, status=None, wanted=None):
        """When each stream of the order heard that status; reads what comes on all others too."""
        heard, end = {}, time.monotonic() + seconds
        while time.monotonic() < end and (wanted is None or len(heard) < wanted):
            for key, _ in self.selector.select(max(0, end - time.monotonic())):
                data = key.fileobj.recv(65536)
                now = time.monotonic()
                assert data, "a stream was closed"
                mine = order is not None and self.order_of[key.fileobj] == order
                if mine and re.search(rb'"status":"' + status.encode(), data):
                    heard.setdefault(key.fileobj, now)
        return list(heard.values())

    def wait_opened(self):
        """Reads until all streams have had their first event."""
        end = time.monotonic() + 10
        while len(self.had) < len(self.order_of):
            assert time.monotonic() < end, f"only {len(self.had)} of {len(self.order_of)} streams opened"
            for key, _ in self.selector.select(1):
                data = key.fileobj.recv(65536)
                assert data and (b" 200 " in data[:16] or not data.startswith(b"HTTP/1.1")), data
                if b"event: order" in data:
                    self.had.add(key.fileobj)

    def close(self):
        for connection in self.order_of:
            connection.close()
        self.selector.close()


def delays(streams, orders, barista, port):
    """Milliseconds from the POST of a move to the event at each client that watches."""
    found = []
    watchers = STREAMS // ORDERS
    for order in orders:
        for move, status in (("accept", "preparing"), ("ready", "ready"), ("undo-ready", "preparing"),
                             ("ready", "ready")):
            begin = time.monotonic()
            request = (f"POST /orders/{order}/{move} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {barista}\r\n"
                       f"Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}")
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(request.encode())
                heard = streams.hear(5, order, status, watchers)
                assert len(heard) == watchers, f"{len(heard)} of {watchers} heard {move}"
                connection.recv(65536)
            found += [(at - begin) * 1000 for at in heard]
            streams.hear(0.02)
    return sorted(found)


def run(table):
    customer, barista = login("customer"), login("barista")
    orders = [call("POST", "/orders", customer, ORDER)["id"] for _ in range(ORDERS)]
    with Daemon("gateway", PORTS, MAX_STREAMS_PER_PERSON=str(STREAMS)) as gateway:
        gateway.wait_ready()
        streams = Streams(gateway.port, customer)
        streams.open_many(orders, WARM_UP)
        before = rss_kib(gateway.pid)
        streams.open_many(orders, STREAMS - WARM_UP)
        most = rss_kib(gateway.pid)
        streams.hear(1)
        took = delays(streams, orders, barista, gateway.port)
        streams.close()
        time.sleep(SETTLE_S)
        after = rss_kib(gateway.pid)
    psql("DELETE FROM orders.open_orders")
    table.add(f"sse: gateway with {STREAMS} streams (RSS)", most / 1024, "MiB", 72)
    table.add("sse: each stream", (most - before) / (STREAMS - WARM_UP), "KiB", 40)
    table.add(f"sse: kept of their memory {SETTLE_S} s after closing", max(0, after - before) / (most - before) * 100, "%", 50)
    table.add("sse: change to client, p50", took[len(took) // 2], "ms")
    table.add("sse: change to client, p99", took[len(took) * 99 // 100], "ms", 100)
