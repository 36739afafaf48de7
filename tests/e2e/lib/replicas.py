"""Two gateways over two order-services, beside those of the stack."""
import threading
import time

import live
import replica
import shop
import traffic

orders = [replica.Replica("order-service"), replica.Replica("order-service")]
both = replica.addresses(*orders)
first, second = (replica.Replica("gateway", ORDER_SERVICE_ADDR=both) for _ in range(2))


def a_token_of_one_gateway_is_good_at_the_other():
    who = {"handle": "customer", "password": "coffee-demo"}
    status, session = shop.insist("POST", "/login", body=who, url=first.url)
    assert status == 200, session
    status, me = shop.insist("GET", "/users/me", session["accessToken"], url=second.url)
    assert status == 200 and me["handle"] == "customer", me


def an_event_made_at_one_gateway_reaches_clients_of_the_other():
    barista, (_, token) = shop.login("barista"), shop.newcomer()
    screen = live.WebSocket("/ws/queue", barista, url=second.url)
    screen.snapshot()
    status, order = shop.insist("POST", "/orders", token, shop.LATTE, url=first.url)
    assert status == 201, order
    screen.order(order["id"], "placed")
    phone = live.Events(f"/orders/{order['id']}/events", token, url=second.url)
    phone.order("placed")
    began = time.monotonic()
    assert shop.insist("POST", f"/orders/{order['id']}/accept", barista, {}, url=first.url)[0] == 200
    phone.order("preparing")
    screen.order(order["id"], "preparing")
    print(f"  from the tap at one gateway to both clients of the other: {(time.monotonic() - began) * 1000:.0f} ms")
    screen.close()
    phone.close()


def calls_are_spread_over_both_order_services():
    shares = shop.in_one_of(3, shares_of_a_hundred, shop.login("customer"))
    assert min(shares) >= 30, f"the shares are {shares}"
    print(f"  of 100 calls: {shares[0]:.0f} and {shares[1]:.0f}")


def shares_of_a_hundred(token):
    """A call is counted some time after its answer: that of a round before must not be taken for one of this."""
    def list_orders():
        status, answer = shop.at_once("GET", "/orders", token, url=first.url)
        assert status == 200, answer
        return served()

    shop.within(shop.PATIENCE_S, lambda: all(list_orders()))
    before = shop.within(shop.PATIENCE_S, settled)
    for _ in range(100):
        list_orders()
    shop.within(shop.PATIENCE_S, lambda: sum(served()) >= sum(before) + 100)
    shares = [now - was for now, was in zip(served(), before)]
    if sum(shares) != 100:
        raise shop.Late(f"of 100 calls {sum(shares)} were counted")
    return shares


def settled():
    before = served()
    time.sleep(1)
    return before == served() and before


def served():
    return [shop.metric(one.metrics_url, "rpc_server_duration_seconds_count", "ListOrders", 'code="OK"') for one in orders]


def the_limit_is_one_for_all_gateways():
    limit = 40
    pair = [replica.Replica("gateway", RATE_READ=f"{limit}/600s") for _ in range(2)]
    served_, refused, grown = shop.in_one_of(5, decided_together, pair, limit)
    assert limit - 8 <= served_ <= limit + 1 + grown, f"{served_} of 100 were served, the limit is {limit}"
    assert any(shop.metric(one.metrics_url, "ratelimit_rejected_total") for one in pair)
    print(f"  {served_} of 100 served at a limit of {limit}, {refused} times 429")


def decided_together(pair, limit):
    """A Valkey that is late, as on a busy machine, lets each gateway decide alone."""
    alone, found = decided_alone(pair), ask_both(pair, limit)
    if decided_alone(pair) != alone:
        raise shop.Late("a gateway decided alone")
    return found


def decided_alone(gateways):
    return sum(shop.metric(one.metrics_url, "ratelimit_fallback_total") for one in gateways)


def ask_both(pair, limit):
    """Of 100 times: how often a newcomer is served and refused, and what came back of the limit meanwhile."""
    (_, token), served_, refused, began = shop.newcomer(), 0, 0, time.monotonic()
    for n in range(100):
        status, answer = shop.at_once("GET", "/users/me", token, url=pair[n % 2].url)
        assert status in (200, 429), answer
        served_ += status == 200
        if status == 429:
            refused += 1
            assert int(shop.headers()["Retry-After"]) > 0 and answer["code"] == "too_many_requests", answer
    return served_, refused, (time.monotonic() - began) * limit / 600


def a_stopped_replica_loses_no_call():
    shop.in_one_of(3, orders_while_one_stops)


def orders_while_one_stops():
    people = traffic.Traffic(clients=6, url=first.url, pause_s=0.01, strict=True)
    load = threading.Thread(target=people.run_for, args=(9,))
    load.start()
    time.sleep(1.5)
    code = orders[0].end()
    load.join()
    orders[0].start()
    shop.within(shop.PATIENCE_S, orders[0].is_ready)
    assert code == 0, f"order-service ended with {code}"
    people.served_each_at_once()
    print(f"  {people.placed} orders in 9 s, no call failed, slowest {people.slowest_s:.2f} s; it ended with 0")


def a_gateway_stopped_under_load_ends_well():
    shop.in_one_of(3, orders_while_a_gateway_stops)


def orders_while_a_gateway_stops():
    (customer, token), gateway = shop.newcomer(), replica.Replica("gateway", ORDER_SERVICE_ADDR=both)
    answers, over = [], threading.Event()

    def client():
        while not over.is_set():
            try:
                answers.append(shop.call("POST", "/orders", token, shop.LATTE, url=gateway.url)[0])
            except shop.Away:
                time.sleep(0.01)

    clients = [threading.Thread(target=client) for _ in range(8)]
    for one in clients:
        one.start()
    shop.within(shop.PATIENCE_S, lambda: len(answers) >= 2 * len(clients))
    code = gateway.end()
    over.set()
    for one in clients:
        one.join()
    assert code == 0, f"the gateway ended with {code}: {gateway.log()[-300:]}"
    shop.clear_queue(customer, token)
    assert set(answers) <= {201, 504}, set(answers)
    if 504 in answers:
        raise shop.Late(f"{answers.count(504)} of {len(answers)}: 504")
    (recorded,), = shop.sql(f"SELECT count(*) FROM orders.orders WHERE placed_by = '{customer}'")
    assert int(recorded) == len(answers), f"{recorded} orders, {len(answers)} answers"


def gateways_end_well_with_streams_open():
    token = shop.login("barista")
    screen = live.WebSocket("/ws/queue", token, url=second.url)
    status, order = shop.insist("POST", "/orders", token, shop.LATTE, url=second.url)
    assert status == 201, order
    phone = live.Events(f"/orders/{order['id']}/events", token, url=second.url)
    phone.order("placed")
    code = second.end()
    assert code == 0, f"the gateway ended with {code}: {second.log()[-300:]}"
    screen.close()
    phone.close()


shop.fact(a_token_of_one_gateway_is_good_at_the_other, "GW-08")
shop.fact(an_event_made_at_one_gateway_reaches_clients_of_the_other, "RT-12")
shop.fact(calls_are_spread_over_both_order_services, "GW-09")
shop.fact(the_limit_is_one_for_all_gateways, "RATE-01")
shop.fact(a_stopped_replica_loses_no_call, "K8S-17")
shop.fact(a_gateway_stopped_under_load_ends_well, "K8S-17")
shop.fact(gateways_end_well_with_streams_open, "K8S-17")
shop.finish()
