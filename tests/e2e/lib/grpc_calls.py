"""The daemons by grpcurl and reflection. An identity is signed here, with the stack's key: if the format of
common/rpc/identity.h changes, this is where it shows."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import time

import shop

GRPCURL = os.environ.get("GRPCURL") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "everything/grpcurl-1.9.3/bin/grpcurl")
DAEMONS = {"order-service": os.environ["ORDER_SERVICE_ADDR"], "customer-service": os.environ["CUSTOMER_SERVICE_ADDR"]}
ORDERS, CUSTOMERS = "coffee.order.v1.OrderService/", "coffee.customer.v1.CustomerService/"
MENU = "coffee.menu.v1.MenuService/"
WHO, TOKEN = shop.newcomer()
BARISTA = shop.login("barista")


def key():
    with open(shop.settings_of("order-service")["IDENTITY_KEYS_FILE"], encoding="ascii") as file:
        line = next(line for line in file if line.strip() and not line.startswith("#"))
    name, hexadecimal = line.split()
    return name, bytes.fromhex(hexadecimal)


def pack(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def identity(audience, method, subject, role):
    name, secret = key()
    now = str(int(time.time()))
    body = "\n".join([name, subject, role, "", "", "pwd", "192.0.2.1", now, now])
    mac = hmac.digest(secret, f"{body}\n{audience}\n/{method}".encode(), hashlib.sha256)
    return pack(body.encode()) + "." + pack(mac)


def command(audience, method, request, subject=WHO, role="customer"):
    return [GRPCURL, "-plaintext", "-emit-defaults", "-H", "x-identity: " + identity(audience, method, subject, role),
            "-d", json.dumps(request), DAEMONS[audience], method]


def messages(text):
    """grpcurl writes one after the other."""
    found, decoder, text = [], json.JSONDecoder(), text.strip()
    while text:
        one, end = decoder.raw_decode(text)
        found.append(one)
        text = text[end:].strip()
    return found


def ask(audience, method, request=None, **who):
    done = subprocess.run(command(audience, method, request or {}, **who), capture_output=True, text=True,
                          timeout=shop.PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return messages(done.stdout)


def refused(audience, method, request=None, **who):
    done = subprocess.run(command(audience, method, request or {}, **who), capture_output=True, text=True,
                          timeout=shop.PATIENCE_S, check=False)
    assert done.returncode != 0, done.stdout
    return done.stderr


def placing_confirms_the_order():
    placed, = ask("order-service", ORDERS + "PlaceOrder",
                  {"items": [{"menuItemId": "flat-white", "quantity": 2, "customizationIds": []}]})
    assert placed["status"] == "STATUS_PLACED" and placed["customerId"] == WHO, placed
    status, seen = shop.insist("GET", "/orders/" + placed["id"], TOKEN)
    assert status == 200 and seen["number"] == placed["number"] and seen["totalCents"] == int(placed["totalCents"]), seen


def the_menu_is_the_one_of_rest():
    menu, = ask("order-service", MENU + "GetMenu", subject="", role="nobody")
    status, rest = shop.insist("GET", "/menu")
    assert status == 200
    assert [(i["id"], i["name"], int(i["priceCents"])) for i in menu["items"]] == \
        [(i["id"], i["name"], i["priceCents"]) for i in rest["items"]]
    assert int(menu["version"]) == rest["version"] and menu["items"], menu["version"]


def a_changed_profile_is_read_back_and_only_its_owner_changes_it():
    changed, = ask("customer-service", CUSTOMERS + "UpdateProfile", {"name": "Somebody Else"})
    assert changed["id"] == WHO and changed["name"] == "Somebody Else", changed
    read, = ask("customer-service", CUSTOMERS + "GetProfile")
    assert read == changed, read
    # the request names no one: whose profile it is, is who signed in; no one else is let in at all
    assert "PermissionDenied" in refused("customer-service", CUSTOMERS + "UpdateProfile", {"name": "X"},
                                         subject="order-service", role="system")
    assert "Unauthenticated" in refused("customer-service", CUSTOMERS + "UpdateProfile", {"name": "X"},
                                        subject="", role="nobody")
    assert ask("customer-service", CUSTOMERS + "GetProfile") == [changed]


def finish_an_order():
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    for move in ("accept", "ready", "pickup"):
        status, answer = shop.insist("POST", f"/orders/{order['id']}/{move}", BARISTA, {})
        assert status == 200, answer


def points():
    (total,), = shop.sql(f"SELECT coalesce(sum(delta), 0) FROM loyalty.ledger WHERE customer_id = '{WHO}'",
                         "customer_db")
    return int(total)


def the_balance_is_the_sum_of_the_ledger():
    finish_an_order()
    shop.within(shop.PATIENCE_S, points)
    loyalty, = ask("customer-service", CUSTOMERS + "CheckLoyaltyBalance")
    assert int(loyalty["points"]) == points() > 0, loyalty
    assert sum(int(entry["delta"]) for entry in loyalty["ledger"]) == points(), loyalty


def the_history_is_the_last_hundred_newest_first():
    (handled, token), count = shop.newcomer(), 120
    placed = []
    for n in range(count):
        status, order = shop.insist("POST", "/orders", token, shop.LATTE, key=f"history-{n}")
        assert status == 201, order
        placed.append(order["id"])
    heard = ask("order-service", ORDERS + "StreamOrderHistory", subject=handled)
    shop.clear_queue(handled, token)
    assert [order["id"] for order in heard] == placed[:-101:-1], f"{len(heard)} orders"


def each_state_is_told_as_it_comes():
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    watch = subprocess.Popen(command("order-service", ORDERS + "WatchOrder", {"id": order["id"]}),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    first = "".join(iter(watch.stdout.readline, "}\n"))  # the snapshot has come: the stream is open
    for move in ("accept", "ready", "pickup"):
        assert shop.insist("POST", f"/orders/{order['id']}/{move}", BARISTA, {})[0] == 200
    rest, _ = watch.communicate(timeout=shop.PATIENCE_S)
    told = [one["status"] for one in messages(first + "}\n" + rest)]
    assert told == ["STATUS_" + s for s in ("PLACED", "ACCEPTED", "PREPARING", "READY", "COMPLETED")], told


shop.fact(placing_confirms_the_order, "GRPC-04")
shop.fact(the_menu_is_the_one_of_rest, "GRPC-05", "MENU-02")
shop.fact(a_changed_profile_is_read_back_and_only_its_owner_changes_it, "GRPC-06")
shop.fact(the_balance_is_the_sum_of_the_ledger, "GRPC-07")
shop.fact(the_history_is_the_last_hundred_newest_first, "GRPC-09", "ORD-13")
shop.fact(each_state_is_told_as_it_comes, "GRPC-12")
shop.clear_queue(WHO, TOKEN)
shop.finish()
