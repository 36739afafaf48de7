"""180 orders of 30 KB each, which together are more than one answer between daemons may be (4 MiB)."""
import json

import live
import shop

ORDERS, LARGE = 180, 28 * 1024
BARISTA = shop.login("barista")
NOTE = "\N{HOT BEVERAGE}" + "\N{SMILING FACE WITH SUNGLASSES}" * 90 + "x" * 109
BODY = {"items": [{"menuItemId": "flat-white", "quantity": 1, "note": NOTE}] * 50, "pickupName": "Walk-in"}
placed = []


def place():
    status, order = shop.insist("POST", "/orders", BARISTA, BODY)
    assert status == 201, order
    placed.append(order["id"])
    return len(json.dumps(order, ensure_ascii=False).encode())


def staff_read_the_oldest_of_them():
    assert min(place() for _ in range(ORDERS)) > LARGE
    status, queue = shop.insist("GET", "/queue", BARISTA)
    assert status == 200, queue
    shown = [order["id"] for order in queue["orders"] if order["id"] in placed]
    assert len(shown) > ORDERS / 3 and shown == placed[:len(shown)], f"{len(shown)} of {ORDERS}"


def a_screen_gets_its_snapshot_and_stays_open():
    screen = live.WebSocket("/ws/queue", BARISTA)
    assert placed[0] in [order["id"] for order in screen.snapshot()["orders"]]
    status, answer = shop.insist("POST", f"/orders/{placed[0]}/accept", BARISTA, {})
    assert status == 200, answer
    screen.order(placed[0], "preparing")
    screen.close()


def each_stream_has_its_first_event():
    for order in placed[:6]:
        stream = live.Events(f"/orders/{order}/events", BARISTA)
        _, _, seen = stream.until(lambda event: event[1] == "order")
        assert seen["id"] == order and len(seen["items"]) == 50, seen["id"]
        stream.close()


shop.fact(staff_read_the_oldest_of_them, "ORD-02")
shop.fact(a_screen_gets_its_snapshot_and_stays_open, "RT-01")
shop.fact(each_stream_has_its_first_event, "RT-08")
for one in placed:
    shop.insist("POST", f"/orders/{one}/cancel", BARISTA, {})
shop.finish()
