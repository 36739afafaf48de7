"""/ws/orders/{id}: one's own order as it changes, and nobody else's."""
import live
import shop

TOKEN, BARISTA = shop.login("customer"), shop.login("barista")


def place():
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    return order["id"]


def a_customer_follows_an_order_to_its_end():
    order = place()
    socket = live.WebSocket(f"/ws/orders/{order}", TOKEN)
    seen = [socket.next()["order"]]
    place()  # another order is nobody's business here
    for command in ("accept", "ready", "pickup"):
        status, answer = shop.insist("POST", f"/orders/{order}/{command}", BARISTA, {})
        assert status == 200, answer
    while not isinstance(message := socket.next(), tuple):
        seen.append(message["order"])
    assert message == ("close", 1000), message
    assert {o["id"] for o in seen} == {order}, seen
    assert [o["status"] for o in seen] == ["placed", "accepted", "preparing", "ready", "completed"], seen
    assert [o["seq"] for o in seen] == [1, 2, 3, 4, 5], seen


def an_order_that_is_over_is_told_once():
    order = place()
    assert shop.insist("POST", f"/orders/{order}/cancel", TOKEN, {})[0] == 200
    socket = live.WebSocket(f"/ws/orders/{order}", TOKEN)
    assert socket.next()["order"]["status"] == "cancelled"
    assert (end := socket.next()) == ("close", 1000), end


def strangers_have_no_socket():
    order = place()
    for token, expected in ((shop.login("customer2"), 404), (None, 401)):
        try:
            live.WebSocket(f"/ws/orders/{order}", token)
        except live.Refused as refused:
            assert refused.status == expected, refused
        else:
            raise AssertionError(f"opened for the one due {expected}")


shop.fact(a_customer_follows_an_order_to_its_end, "RT-02")
shop.fact(an_order_that_is_over_is_told_once, "RT-02")
shop.fact(strangers_have_no_socket)
shop.finish()
