"""The three daemons under valgrind, beside a running stack: orders go through them, and each ends by SIGTERM."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../tests/e2e/lib"))
import replica  # noqa: E402  (where the path leads)
import shop  # noqa: E402

ORDERS, LEAK = 12, 9
VALGRIND = f"valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --error-exitcode={LEAK}"
shop.PATIENCE_S = 240  # a program is twenty times slower under it


def moves(gateway, customer, barista):
    """One order, from the menu to the pickup."""
    ask = lambda method, path, token, body=None: shop.insist(method, path, token, body, url=gateway.url)
    assert ask("GET", "/menu", customer)[0] == 200
    status, order = ask("POST", "/orders", customer, shop.LATTE)
    assert status == 201, order
    for who, move in [(barista, "accept"), (barista, "ready"), (customer, "pickup")]:
        status, answer = ask("POST", f"/orders/{order['id']}/{move}", who, {})
        assert status == 200, answer
    for path in ["/orders", "/customers/me/stats", "/customers/me/loyalty", "/customers/me/usual", "/inbox"]:
        assert ask("GET", path, customer)[0] in (200, 404)


def bad_input(gateway, customer):
    for body in [{}, {"items": []}, {"items": [{"menuItemId": "no such", "quantity": 0}]}, {"tea": 1}]:
        status, answer = shop.insist("POST", "/orders", customer, body, url=gateway.url)
        assert status == 422, answer


def main():
    backends = {name: replica.Replica(name, wait=False, under=VALGRIND) for name in ("order-service", "customer-service")}
    for one in backends.values():
        shop.within(shop.PATIENCE_S, one.is_ready)
    gateway = replica.Replica("gateway", under=VALGRIND, ORDER_SERVICE_ADDR=replica.addresses(backends["order-service"]),
                              CUSTOMER_SERVICE_ADDR=replica.addresses(backends["customer-service"]))
    customer, barista = (shop.insist("POST", "/login", body={"handle": who, "password": "coffee-demo"},
                                     url=gateway.url)[1]["accessToken"] for who in ("customer", "barista"))
    for _ in range(ORDERS):
        moves(gateway, customer, barista)
    bad_input(gateway, customer)
    time.sleep(5)  # what follows an order: events, notices, the workflow's end
    leaks = 0
    for one in [gateway, *backends.values()]:
        code = one.end(seconds=120)
        blocks = [line for line in one.log().splitlines() if line.startswith("==")]
        print(f"{one.daemon}: {'no definite leak' if code == 0 else f'exit code {code}'}")
        if code:
            print("\n".join(blocks[-60:]))
        leaks += code != 0
    sys.exit(leaks)


main()
