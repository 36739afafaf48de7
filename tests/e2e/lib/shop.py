"""What the end-to-end tests in Python share: one keep-alive client a thread, sign-in, facts."""
import http.client
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

URL = urllib.parse.urlsplit(os.environ["HTTP_URL"])
LATTE = {"items": [{"menuItemId": "flat-white", "quantity": 1, "customizationIds": ["oat-milk"]}]}
local = threading.local()
failures = 0


class Away(Exception):
    """No answer: the connection broke or timed out."""


def call(method, path, token=None, body=None, key=None, timeout=10):
    """(status, answer); one try. Raises Away when there was no answer."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = "Bearer " + token
    if key:
        headers["Idempotency-Key"] = key
    connection = getattr(local, "connection", None)
    try:
        if connection is None:
            connection = local.connection = http.client.HTTPConnection(URL.hostname, URL.port, timeout=timeout)
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        reply = connection.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text else None
    except (OSError, http.client.HTTPException) as error:
        if connection:
            connection.close()
        local.connection = None
        raise Away(str(error)) from error


def insist(method, path, token=None, body=None, key=None, seconds=60):
    """As call(), again after 503, 504, 429, in_flight and broken connections: what a good client does."""
    end = time.monotonic() + seconds
    while True:
        try:
            status, answer = call(method, path, token, body, key)
            passing = status in (429, 503, 504) or (status == 409 and answer["code"] in ("in_flight", "busy"))
            if not passing:
                return status, answer
        except Away:
            pass
        if time.monotonic() > end:
            raise AssertionError(f"{method} {path}: no answer in {seconds} s")
        time.sleep(0.1)


def login(handle, password="coffee-demo"):
    status, answer = insist("POST", "/login", body={"handle": handle, "password": password})
    assert status == 200, answer
    return answer["accessToken"]


def newcomer():
    """A customer nobody else orders for: (id, token)."""
    handle = "t" + uuid.uuid4().hex[:12]
    password = "a good long password"
    status, answer = insist("POST", "/users", body={
        "handle": handle, "email": handle + "@example.org", "password": password, "name": "Newcomer"})
    assert status == 201, answer
    return answer["customer"]["id"], login(handle, password)


def fact(function, *rows):
    """Runs one fact; its docstring or name says which."""
    global failures
    name = " ".join([function.__name__, *rows])
    try:
        function()
        print("ok", name, flush=True)
    except Exception as error:  # the next facts still count
        failures += 1
        print("not ok", name, f"\n  | {type(error).__name__}: {error}", flush=True)


def finish():
    sys.exit(1 if failures else 0)


def pid_of(process):
    with open(os.path.join(os.environ["TEST_STACK_RUN"], process, "pid"), encoding="ascii") as file:
        return int(file.read().split()[0])


def kill(process, signal=9):
    try:
        os.kill(pid_of(process), signal)
    except (ProcessLookupError, FileNotFoundError):
        pass  # it is down already: the supervisor is at it


def sql(query, database="order_db"):
    """Rows of a query, as lists of text."""
    admin = os.environ["TEST_PG_ADMIN_URL"].rsplit("/", 1)[0] + "/" + database
    out = subprocess.run(["psql", "-qAtX", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", admin, "-c", query],
                         check=True, capture_output=True, text=True, timeout=60).stdout
    return [line.split("\t") for line in out.splitlines()]
