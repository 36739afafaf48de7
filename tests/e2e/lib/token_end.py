"""Streams and sockets at the end of their token. The tokens are true ones whose end was moved: signed
with the stack's own key, which only a test has."""
import base64
import json
import subprocess
import time
import uuid

import live
import shop

LIFE_S = 4
KEY = shop.settings_of("customer-service")["JWT_KEYS_DIR"] + "/current.pem"


def pack(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def unpack(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def signature(text):
    """ES256: openssl writes r and s as DER, a token holds 32 bytes of each."""
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", KEY], input=text, check=True, capture_output=True,
                         timeout=shop.PATIENCE_S).stdout
    size = der[3]
    r, s = der[4:4 + size], der[6 + size:]
    return b"".join(int.from_bytes(number, "big").to_bytes(32, "big") for number in (r, s))


def short_lived(token):
    """(the same token with another end, when that is)"""
    head, body, _ = token.split(".")
    claims = json.loads(unpack(body))
    claims["exp"], claims["jti"] = int(time.time()) + LIFE_S, str(uuid.uuid4())
    text = head.encode() + b"." + pack(json.dumps(claims).encode())
    return (text + b"." + pack(signature(text))).decode(), claims["exp"]


def opened(stream, path, token):
    """(stream, end of its token): a busy machine may need longer than one token lives."""
    for tries_left in (2, 1, 0):
        short, expires = short_lived(token)
        try:
            return stream(path, short, timeout=LIFE_S + shop.PATIENCE_S), expires
        except live.Refused as refused:
            if refused.status != 401 or time.time() < expires or not tries_left:
                raise
    return None


def must_be_the_end(expires):
    late = time.time() - expires
    assert -0.1 < late < shop.PATIENCE_S, f"{late:.1f} s after the token's end"
    print(f"  {late:.1f} s after the token's end")


BARISTA = shop.login("barista")
OWNER, TOKEN = shop.newcomer()


def place():
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    return order["id"]


def a_stream_says_reauth_ends_and_goes_on_with_another_token():
    order = place()
    stream, expires = opened(live.Events, f"/orders/{order}/events", TOKEN)
    seq, _, _ = stream.order("placed")
    assert stream.until(lambda event: event[1] == "reauth", LIFE_S + shop.PATIENCE_S)[2] == {}
    must_be_the_end(expires)
    assert stream.next() is None, "it did not end"
    stream.close()
    assert shop.insist("POST", f"/orders/{order}/accept", BARISTA, {})[0] == 200
    again = live.Events(f"/orders/{order}/events", TOKEN, seq)
    assert again.order("accepted")[0] == seq + 1
    again.order("preparing")
    again.close()


def closed_with(path, token):
    """The code that the server closes a WebSocket with, and when."""
    socket, expires = opened(live.WebSocket, path, token)
    while not isinstance(message := socket.next(), tuple):
        pass
    must_be_the_end(expires)
    socket.close()
    return message


def a_screen_is_closed_with_4401_at_its_tokens_end():
    assert closed_with("/ws/queue", BARISTA) == ("close", 4401)


def an_orders_socket_is_closed_with_4401_at_its_tokens_end():
    assert closed_with(f"/ws/orders/{place()}", TOKEN) == ("close", 4401)


shop.fact(a_stream_says_reauth_ends_and_goes_on_with_another_token, "RT-08")
shop.fact(a_screen_is_closed_with_4401_at_its_tokens_end, "RT-07")
shop.fact(an_orders_socket_is_closed_with_4401_at_its_tokens_end, "RT-07")
shop.clear_queue(OWNER, TOKEN)
shop.finish()
