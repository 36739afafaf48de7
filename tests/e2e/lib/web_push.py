"""A browser and its push service, played: the service listens on loopback with the certificate of the stack's
stand-in for Apple, which customer-service trusts; the browser opens messages with http-ece."""
import base64
import http.server
import json
import os
import secrets
import ssl
import threading
import time

import http_ece
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

import shop

MANY = 20  # answers: one may be given unheard, to a call that has lost its patience
APNS = os.path.join(os.environ["TEST_STACK_RUN"], "apns")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def un64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class PushService:
    """Answers as it was told for a path, else 201; keeps what came: (path, headers, body, when)."""

    def __init__(self):
        self.came, self.answers = [], {}
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.came.append((self.path, dict(self.headers.items()), body, time.monotonic()))
                todo = service.answers.get(self.path) or [(201, {})]
                code, headers = todo.pop(0)
                self.send_response(code)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(os.path.join(APNS, "ca.pem"), os.path.join(APNS, "ca.key"))
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.origin = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, path):
        return [call for call in list(self.came) if call[0] == path]


class Browser:
    """Somebody's, subscribed under a path of its own."""

    def __init__(self, service, endpoint=None):
        _, self.token = shop.newcomer()
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)
        self.path = "/" + secrets.token_hex(8)
        point = self.key.public_key().public_bytes(serialization.Encoding.X962,
                                                   serialization.PublicFormat.UncompressedPoint)
        status, device = shop.insist("POST", "/devices", self.token, {"web": {
            "endpoint": endpoint or service.origin + self.path, "p256dh": b64(point), "auth": b64(self.auth)}})
        assert status == 201 and device["channel"] == "web", device
        self.device, self.orders = device["id"], []
        browsers.append(self)

    def go(self):
        """Nobody is to be told for ever."""
        for order in self.orders:
            shop.insist("POST", f"/orders/{order}/pickup", self.token, {})
        shop.insist("DELETE", f"/devices/{self.device}", self.token)

    def open(self, body):
        return json.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"))

    def is_known(self):
        return bool(shop.sql(f"SELECT 1 FROM notify.devices WHERE id = '{self.device}'", "customer_db"))

    def ready_order(self):
        status, order = shop.insist("POST", "/orders", self.token, shop.LATTE)
        assert status == 201, order
        for command in ("accept", "ready"):
            status, answer = shop.insist("POST", f"/orders/{order['id']}/{command}", shop.login("barista"), {})
            assert status == 200, answer
        self.orders.append(order["id"])
        return order["id"]

    def notices(self, order):
        return shop.sql("SELECT stage, state, reason, attempts FROM notify.notices WHERE channel = 'web' AND"
                        f" order_id = '{order}' ORDER BY seq", "customer_db")


service, browsers = PushService(), []


def messages(browser, count):
    return shop.within(shop.PATIENCE_S, lambda: service.of(browser.path)[count - 1:] and service.of(browser.path))


def a_browser_is_told_and_can_read_it():
    browser = Browser(service)
    order = browser.ready_order()
    told = [(browser.open(body), headers) for _, headers, body, _ in messages(browser, 2)]
    assert [message["stage"] for message, _ in told] == ["accepted", "ready"], told
    message, headers = told[1]
    assert message["orderId"] == order and "Flat White" in message["body"], message
    assert headers["content-encoding"] == "aes128gcm" and headers["urgency"] == "high", headers
    assert 3000 < int(headers["ttl"]) <= 3600, headers
    assert told[0][1]["topic"] == headers["topic"] and len(headers["topic"]) == 32, "one replaces the other"


def the_push_service_knows_who_sends():
    browser = Browser(service)
    browser.ready_order()
    headers = messages(browser, 1)[0][1]
    scheme, rest = headers["authorization"].split(" ", 1)
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert scheme == "vapid" and set(parts) == {"t", "k"}, headers
    assert parts["k"] == shop.call("GET", "/push-key")[1]["publicKey"], "not the key that browsers are given"
    head, claims, signature = parts["t"].split(".")
    assert json.loads(un64(head)) == {"typ": "JWT", "alg": "ES256"}, head
    claims_read, raw = json.loads(un64(claims)), un64(signature)
    assert claims_read["aud"] == service.origin and claims_read["sub"].startswith("mailto:"), claims_read
    assert 0 < claims_read["exp"] - time.time() <= 24 * 3600, claims_read
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), un64(parts["k"]))
    key.verify(utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")),
               f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


def a_subscription_that_ended_is_forgotten():
    for code in (404, 410):
        browser = Browser(service)
        service.answers[browser.path] = [(code, {})] * MANY
        browser.ready_order()
        shop.within(shop.PATIENCE_S, lambda: not browser.is_known())


def a_service_that_is_busy_is_asked_again_when_it_says():
    shop.in_one_of(3, busy_twice)


def busy_twice():
    browser = Browser(service)
    service.answers[browser.path] = [(503, {"Retry-After": "2"}), (429, {})]
    order = browser.ready_order()
    shop.within(shop.PATIENCE_S, lambda: (states := browser.notices(order)) and states[-1][1] == "sent")
    calls = messages(browser, 3)
    assert browser.open(calls[-1][2])["stage"] == "ready"
    assert browser.is_known()
    if calls[1][3] - calls[0][3] < 1.9:  # or the first was noted late
        raise shop.Late("asked before it may")


def a_redirect_is_not_followed():
    browser = Browser(service)
    service.answers[browser.path] = [(307, {"Location": service.origin + "/elsewhere"})] * MANY
    order = browser.ready_order()
    shop.within(shop.PATIENCE_S, lambda: [row[1] for row in browser.notices(order)] == ["refused"] * 2)
    assert not service.of("/elsewhere")


def no_address_inside_is_asked():
    browser = Browser(service, endpoint="https://10.255.255.1/secret")
    began = time.monotonic()
    order = browser.ready_order()
    shop.within(shop.PATIENCE_S, lambda: (rows := browser.notices(order)) and int(rows[-1][3]) >= 2)
    assert time.monotonic() - began < 60, "it was tried: that network swallows packets"
    assert browser.notices(order)[-1][1] in ("pending", "sending"), browser.notices(order)


if not os.path.exists(os.path.join(APNS, "ca.key")):
    print("skip all_of_them: this stack has no stand-in for Apple (FAKE_APNS=1 in .env)")
    shop.finish()
shop.fact(a_browser_is_told_and_can_read_it, "PUSH-20")
shop.fact(the_push_service_knows_who_sends)
shop.fact(a_subscription_that_ended_is_forgotten)
shop.fact(a_service_that_is_busy_is_asked_again_when_it_says)
shop.fact(a_redirect_is_not_followed)
shop.fact(no_address_inside_is_asked)
for each in browsers:
    each.go()
shop.finish()
