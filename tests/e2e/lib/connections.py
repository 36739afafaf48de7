"""Three replicas of each daemon under load: the connections of all of them, counted by Postgres itself."""
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import replica
import shop

MAX_CONNECTIONS, TEMPORAL = 100, 20  # where Temporal keeps its state in the same server, that is its share


def count(until, seen):
    while not until.wait(0.05):
        seen.append(int(shop.sql("SELECT count(*) FROM pg_stat_activity WHERE usename ~ '_service$'", "postgres")[0][0]))


def three_of(daemon, setting):
    """The stack's own and two more: their addresses."""
    more = [replica.Replica(daemon, wait=False) for _ in range(2)]
    for one in more:
        shop.within(shop.PATIENCE_S, one.is_ready)
    return replica.addresses(int(os.environ[setting].rsplit(":", 1)[1]), *more)


addresses = {setting: three_of(daemon, setting) for daemon, setting in
             [("order-service", "ORDER_SERVICE_ADDR"), ("customer-service", "CUSTOMER_SERVICE_ADDR")]}
gateway = replica.Replica("gateway", **addresses)
token = shop.login("customer")
seen, enough = [], threading.Event()
counter = threading.Thread(target=count, args=(enough, seen))
counter.start()
with ThreadPoolExecutor(48) as clients:
    paths = ["/orders", "/customers/me/usual", "/menu", "/customers/me/stats"] * 300
    answers = list(clients.map(lambda path: shop.insist("GET", path, token, url=gateway.url)[0], paths))
enough.set()
counter.join()
limit = int(shop.sql("SELECT setting FROM pg_settings WHERE name = 'max_connections'", "postgres")[0][0])
print(f"at most {max(seen)} connections of 3 + 3 replicas, {len(answers)} requests; max_connections {limit}")
assert all(status in (200, 404) for status in answers), set(answers)
assert limit == MAX_CONNECTIONS and 12 <= max(seen) < MAX_CONNECTIONS - TEMPORAL
