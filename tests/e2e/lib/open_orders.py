"""One customer's open orders are bounded: the next is refused, whoever else orders, and staff, are not."""
import uuid

import replica
import shop

MOST = 3
mine = replica.Replica("order-service", MAX_OPEN_ORDERS=MOST)
gateway = replica.Replica("gateway", ORDER_SERVICE_ADDR=replica.addresses(mine))
customer, token = shop.newcomer()


def place(who=None, key=None, body=None):
    return shop.insist("POST", "/orders", who or token, body or shop.LATTE, key=key or str(uuid.uuid4()),
                       url=gateway.url)


def payments():
    return shop.sql(f"SELECT count(*) FROM payment.payments WHERE customer_id = '{customer}'")


def one_more_than_may_be_open_is_refused_and_changes_nothing():
    keys = [str(uuid.uuid4()) for _ in range(MOST)]
    placed = [place(key=key) for key in keys]
    assert [status for status, _ in placed] == [201] * MOST, placed
    before = payments()
    status, problem = place()
    assert status == 409 and problem["code"] == "too_many_open_orders", problem
    assert str(MOST) in problem["detail"] and payments() == before, problem
    assert shop.sql(f"SELECT count(*) FROM orders.orders WHERE customer_id = '{customer}'") == [[str(MOST)]]
    status, again = place(key=keys[-1])
    assert status == 201 and again["id"] == placed[-1][1]["id"], "a replay is no new order"


def when_one_is_over_another_may_be_placed():
    order, = shop.sql(f"SELECT id FROM orders.orders WHERE customer_id = '{customer}' LIMIT 1")
    status, answer = shop.insist("POST", f"/orders/{order[0]}/cancel", token, {}, url=gateway.url)
    assert status == 200, answer
    assert [place()[0] for _ in range(2)] == [201, 409]


def another_customer_is_not_kept_out():
    other, others = shop.newcomer()
    assert place(others)[0] == 201
    shop.clear_queue(other, others)


def the_barista_takes_down_as_many_as_come():
    barista = shop.login("barista")
    placed = [place(barista, body={**shop.LATTE, "pickupName": "Walk-in"}) for _ in range(MOST + 2)]
    assert [status for status, _ in placed] == [201] * (MOST + 2), placed
    for _, order in placed:
        assert shop.insist("POST", f"/orders/{order['id']}/cancel", barista, {}, url=gateway.url)[0] == 200


shop.fact(one_more_than_may_be_open_is_refused_and_changes_nothing, "ORD-02")
shop.fact(when_one_is_over_another_may_be_placed)
shop.fact(another_customer_is_not_kept_out)
shop.fact(the_barista_takes_down_as_many_as_come, "ORD-18")
shop.clear_queue(customer, token)
shop.finish()
