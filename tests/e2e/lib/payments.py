"""Paying for orders: what is declined, slow or away places nothing, and holds nothing for long."""
import concurrent.futures
import json
import signal
import time
import uuid

import replica
import shop

OWNER, TOKEN = shop.newcomer()
OTHER = shop.newcomer()[1]
ADMIN = shop.login("admin")
PROVIDER = shop.settings_of("order-service")["PAYMENT_PROVIDER_URL"]


def holds(state=None):
    """The provider's authorisations for our customer."""
    found, after = [], ""
    while True:
        status, answer = shop.call("GET", f"/authorizations{'?after=' + after if after else ''}", url=PROVIDER)
        assert status == 200, answer
        found += answer["authorizations"]
        if not answer["more"]:
            return [h for h in found if h["customer"] == OWNER and state in (None, h["state"])]
        after = found[-1]["id"]


def orders():
    return int(shop.sql(f"SELECT count(*) FROM orders.orders WHERE customer_id = '{OWNER}'")[0][0])


def place(key=None, body=None):
    return shop.insist("POST", "/orders", TOKEN, body or shop.LATTE, key=key or str(uuid.uuid4()))


def problem(answer, status, code):
    assert answer[0] == status and answer[1]["code"] == code, f"{answer}"


def an_order_shows_what_it_cost_to_its_owner_alone():
    status, order = place()
    assert status == 201, order
    status, payment = shop.insist("GET", f"/payments/{order['id']}", TOKEN)
    assert status == 200 and payment["orderId"] == order["id"], payment
    assert (payment["state"], payment["amountCents"], payment["capturedCents"], payment["refundedCents"]) == \
        ("authorized", order["totalCents"], 0, 0), payment
    problem(shop.insist("GET", f"/payments/{order['id']}", OTHER), 404, "not_found")
    assert shop.insist("GET", f"/payments/{order['id']}", ADMIN)[0] == 200
    status, page = shop.insist("GET", "/payments?pageSize=1", TOKEN)
    assert status == 200 and [p["orderId"] for p in page["payments"]] == [order["id"]], page
    assert shop.insist("GET", "/payments", OTHER)[1]["payments"] == []


def a_declined_card_places_nothing():
    name = "Unlucky " + uuid.uuid4().hex[:8]
    status, item = shop.insist("POST", "/menu", ADMIN, {"name": name, "kind": "coffee", "priceCents": 413}, key=name[-8:])
    assert status == 201, item
    try:
        key, before = str(uuid.uuid4()), orders()
        body = {"items": [{"menuItemId": item["id"], "quantity": 1}]}
        for _ in range(2):  # the same key has the same answer
            problem(place(key, body), 402, "payment_declined")
        assert orders() == before
        assert [h["state"] for h in holds() if h["amountCents"] == 413] == ["declined"]
    finally:
        shop.insist("DELETE", f"/menu/{item['id']}", ADMIN)


def ten_twins_hold_once():
    key, before = str(uuid.uuid4()), len(holds())
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: place(key), range(10)))
    assert {(status, order["id"]) for status, order in answers} == {(201, answers[0][1]["id"])}, answers
    assert len(holds()) == before + 1


def a_closed_shop_holds_nothing():
    before = len(holds())
    assert shop.insist("PUT", "/shop", ADMIN, {"open": False})[0] == 200
    try:
        problem(place(), 409, "shop_closed")
    finally:
        assert shop.insist("PUT", "/shop", ADMIN, {"open": True})[0] == 200
    assert len(holds()) == before


def refused_for_now(key):
    began = time.monotonic()
    answer = shop.at_once("POST", "/orders", TOKEN, shop.LATTE, key)
    problem(answer, 503, "unavailable")
    assert int(shop.headers()["Retry-After"]) >= 1
    return time.monotonic() - began


def is_ready_without_the_provider():
    port = shop.settings_of("order-service")["METRICS_PORT"]
    status, text = shop.get(f"http://127.0.0.1:{port}/readyz")
    return status == 200 and json.loads(text)["payment-provider"] == "degraded"


def a_provider_that_stands_still_is_said_so_within_two_seconds():
    placed = str(uuid.uuid4())
    first, key = place(placed), str(uuid.uuid4())
    assert first[0] == 201
    before = orders()
    shop.kill("payment-provider", signal.SIGSTOP)
    try:
        took = shop.in_one_of(3, refused_for_now, key)
        assert 1.5 < took, f"{took:.2f} s"
        shop.the_best_of(5, 2.7, lambda: refused_for_now(key))
        # what was answered once is answered again, and the rest of the shop is open
        again = shop.in_one_of(3, shop.at_once, "POST", "/orders", TOKEN, shop.LATTE, placed)
        assert again[0] == 201 and again[1]["id"] == first[1]["id"], again
        assert shop.in_one_of(3, shop.at_once, "GET", "/menu")[0] == 200
        shop.within(shop.PATIENCE_S, is_ready_without_the_provider)
        assert orders() == before
        print(f"  refused after {took:.2f} s")
    finally:
        shop.kill("payment-provider", signal.SIGCONT)
    status, order = place(key)  # what the provider did unheard meanwhile is the hold of this order
    assert status == 201, order
    assert orders() == before + 1


def a_killed_provider_comes_back_and_knows_its_holds():
    status, order = place()
    assert status == 201
    before = holds()
    shop.kill("payment-provider")
    shop.forget_connections()
    status, later = place()
    assert status == 201 and later["id"] != order["id"]
    known = {h["id"] for h in holds()}
    assert all(h["id"] in known for h in before)
    status, cancelled = shop.insist("POST", f"/orders/{order['id']}/cancel", TOKEN, {})
    assert status == 200, cancelled


def money_held_for_no_order_is_given_up():
    eager = replica.Replica("order-service", PAYMENT_SWEEP_AFTER=3)
    kept = [h["id"] for h in holds("authorized")]
    status, hold = shop.call("POST", "/authorizations", body={"amountCents": 777, "currency": "EUR", "customer": OWNER},
                             key="lost-" + str(uuid.uuid4()), url=PROVIDER)
    assert status == 201, hold
    shop.within(shop.PATIENCE_S, lambda: hold["id"] in {h["id"] for h in holds("voided")})
    shop.within(shop.PATIENCE_S, lambda: shop.sql(
        f"SELECT state, order_id IS NULL FROM payment.payments WHERE hold_id = '{hold['id']}'") == [["voided", "t"]])
    taken = {row[0] for row in shop.sql("SELECT hold_id FROM payment.payments WHERE order_id IS NOT NULL "
                                        f"AND customer_id = '{OWNER}' AND state = 'authorized'")}
    assert taken <= {h["id"] for h in holds("authorized")}, (kept, taken)
    eager.end()


shop.fact(an_order_shows_what_it_cost_to_its_owner_alone, "PAY-01", "SEC-08")
shop.fact(a_declined_card_places_nothing, "PAY-05")
shop.fact(ten_twins_hold_once, "PAY-02")
shop.fact(a_closed_shop_holds_nothing)
shop.fact(a_provider_that_stands_still_is_said_so_within_two_seconds, "PAY-05")
shop.fact(a_killed_provider_comes_back_and_knows_its_holds, "PAY-02")
shop.fact(money_held_for_no_order_is_given_up, "PAY-05")
shop.finish()
