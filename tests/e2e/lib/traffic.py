"""People who order and a bar that works: the load under which other things are broken."""
import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor, as_completed

import shop

# ways through an order's life, and how often each is taken
LIVES = [
    (["accept", "ready", "pickup"], 6),
    (["accept", "ready", "undo-ready", "ready", "pickup"], 2),
    (["cancel"], 1),
    (["decline"], 1),
    (["accept", "cancel"], 1),
]


class Traffic:
    """Some clients at once, each placing an order and taking it through a life, through one URL."""

    def __init__(self, clients=6, url=None, seed=7, pause_s=0.0, strict=False):
        self.dice, self.url, self.clients, self.pause_s = random.Random(seed), url, clients, pause_s
        # strict: no call may fail, not even once; those that took longer than they may are counted, and made again
        self.strict, self.failed, self.late, self.slowest_s = strict, [], 0, 0.0
        self.people = [shop.newcomer() for _ in range(4)]
        self.barista = shop.login("barista")
        self.placed, self.lock, self.stopping = 0, threading.Lock(), False
        self.told = {}  # order -> (seq, status), as the last answer about it said

    @property
    def customers(self):
        return [customer for customer, _ in self.people]

    def ask(self, method, path, token, body, key=None):
        began = time.monotonic()
        if self.strict:
            while (answer := shop.call(method, path, token, body, key, url=self.url))[0] == 504:
                self.late += 1
                assert time.monotonic() - began < shop.PATIENCE_S, f"{method} {path}: 504"
        else:
            answer = shop.insist(method, path, token, body, key, url=self.url)
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        return answer

    def one_order(self):
        try:
            self.one_life()
        except Exception as error:
            self.failed.append(f"{type(error).__name__}: {error}")
            raise

    def one_life(self):
        with self.lock:
            (_, token), = self.dice.sample(self.people, 1)
            moves, = self.dice.choices([m for m, _ in LIVES], [n for _, n in LIVES])
        status, order = self.ask("POST", "/orders", token, shop.LATTE, "t" + uuid.uuid4().hex)
        assert status == 201, f"{status} {order}"
        with self.lock:
            self.placed += 1
        self.told[order["id"]] = order["seq"], order["status"]
        for move in moves:
            body = {"reason": "no beans"} if move == "decline" else {}
            status, order = self.ask("POST", f"/orders/{order['id']}/{move}", self.barista, body)
            assert status == 200, f"{move}: {status} {order}"
            self.told[order["id"]] = order["seq"], order["status"]
            time.sleep(self.pause_s)

    def served_each_at_once(self):
        assert not self.failed, self.failed
        if self.late:
            raise shop.Late(f"{self.late} of the calls for {self.placed} orders: 504")

    def run(self, orders):
        """So many orders, each to its end."""
        self.together([self.one_order] * orders)

    def together(self, tasks):
        """The first that fails ends the others before their next order."""
        with ThreadPoolExecutor(self.clients) as pool:
            try:
                for done in as_completed([pool.submit(task) for task in tasks]):
                    done.result()
            finally:
                self.stopping = True
                pool.shutdown(cancel_futures=True)
                self.stopping = False

    def run_for(self, seconds):
        end = time.monotonic() + seconds

        def client():
            while time.monotonic() < end and not self.stopping:
                self.one_order()

        self.together([client] * self.clients)
