"""Many lives at once while order-service, Temporal and the provider are killed and the provider loses
answers: every workflow ends, and no order is in a state that its payment contradicts. ORDERS=1000 is the
long form, SEED another walk."""
import http.client
import json
import os
import random
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import books
import flows
import replica
import shop

ORDERS, SEED, CLIENTS = int(os.environ.get("ORDERS", 60)), int(os.environ.get("SEED", 5)), 4
VICTIMS = ("order-service", "temporal", "payment-provider")
FAULTS = "unavailable:any:10:0:0 cut:any:5:0:0 error:any:5:0:0 slow:any:5:0:300 decline:capture:3:0:0"
flows.wait_for_those_before()
BARISTA = shop.login("barista")
PEOPLE = [shop.newcomer() for _ in range(4)]
# some of the orders have deadlines that pass
quick = replica.Replica("order-service", keep=True, ACCEPT_TIMEOUT=6, PICKUP_TIMEOUT=6)
door = replica.Replica("gateway", ORDER_SERVICE_ADDR=replica.addresses(quick))
LIVES = [["accept", "ready", "pickup"]] * 4 + [
    ["accept", "ready", "undo-ready", "ready", "pickup"], ["cancel"], ["decline"], ["accept", "cancel"], [], ["accept", "ready"]]
lock, placed, stopping = threading.Lock(), [], threading.Event()


def faults(rules=None):
    place = urllib.parse.urlsplit(books.PROVIDER)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    connection.request("POST", "/faults", json.dumps({"rules": rules} if rules else {"clear": 1}),
                       {"Content-Type": "application/json"})
    assert connection.getresponse().status == 204
    connection.close()


def keep_faults():
    """A provider that was started again behaves; until it is told."""
    while not stopping.wait(0.5):
        try:
            faults()
            faults(FAULTS)
        except (OSError, http.client.HTTPException):
            pass


def killer(dice):
    while not stopping.wait(dice.uniform(1, 4)):
        if dice.random() < 0.3:
            quick.kill()
        else:
            shop.kill(dice.choice(VICTIMS))


def one_life(number):
    dice = random.Random(SEED * 100000 + number)
    (_, token), moves = dice.choice(PEOPLE), dice.choice(LIVES)
    status, order = shop.insist("POST", "/orders", token, shop.LATTE, f"w{SEED}-{number}-{time.time_ns()}", url=door.url)
    if status == 402:
        return
    assert status == 201, f"{status} {order}"
    with lock:
        placed.append(order["id"])
    for what in moves:
        time.sleep(dice.choice((0, 0, 0.3, 1)))
        status, answer = shop.insist("POST", f"/orders/{order['id']}/{what}", BARISTA,
                                     {"reason": "no beans"} if what == "decline" else {}, url=door.url)
        if status == 409:  # a deadline or a dead card was first
            return
        assert status == 200, f"{what}: {status} {answer}"


def no_order_ends_in_a_state_that_its_payment_contradicts():
    helpers = [threading.Thread(target=killer, args=(random.Random(SEED),)), threading.Thread(target=keep_faults)]
    for helper in helpers:
        helper.start()
    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(one_life, range(ORDERS)))
    finally:
        stopping.set()
        for helper in helpers:
            helper.join()
    shop.within(shop.PATIENCE_S, lambda: shop.get(books.PROVIDER + "/healthz")[0] == 200)
    faults()
    for order in placed:
        flows.ends(order, seconds=240)
    ends = books.agree(placed, [customer for customer, _ in PEOPLE])
    print(f"  {len(placed)} orders, {shop.retries} retries of clients")
    for (status, reason, state), count in sorted(ends.items()):
        print(f"  {count:4} {status} {reason or '-'} {state}")


shop.fact(no_order_ends_in_a_state_that_its_payment_contradicts, "WF-10", "WF-11", "WF-16", "ORD-27")
shop.finish()
