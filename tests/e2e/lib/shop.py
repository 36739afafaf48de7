"""What the end-to-end tests in Python share: one keep-alive client a thread, sign-in, facts."""
import base64
import functools
import http.client
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import urllib.parse
import uuid

URL = os.environ["HTTP_URL"]  # a test with a gateway of its own sets another
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
LATTE = {"items": [{"menuItemId": "flat-white", "quantity": 1, "customizationIds": ["oat-milk"]}]}
local = threading.local()
# How long a test waits for what is to come at all. A machine may be slow or busy: where a time is itself the
# fact, the test measures it, and more than once (the_best_of).
PATIENCE_S = 60
failures = 0
retries = 0  # of insist(), by all threads: shows that the trouble made was felt
accounts = {}  # of login(): token -> (handle, password)
successors = {}  # of tokens whose time was over


class Away(Exception):
    """No answer: the connection broke or timed out."""


class Late(Away):
    """What was measured took too long: the product is slow, or the machine stood still (in_one_of)."""


def call(method, path, token=None, body=None, key=None, timeout=30, url=None):
    """(status, answer); one try. Raises Away when there was no answer. The answer's headers: headers()."""
    headers = {"Content-Type": "application/json"}
    url = url or URL
    if token:
        headers["Authorization"] = "Bearer " + token
    if key:
        headers["Idempotency-Key"] = key
    connections = local.__dict__.setdefault("connections", {})
    try:
        connection = connections.get(url)
        if connection is None:
            place = urllib.parse.urlsplit(url)
            connection = connections[url] = http.client.HTTPConnection(place.hostname, place.port, timeout=timeout)
        if connection.sock:
            connection.sock.settimeout(timeout)
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        reply = connection.getresponse()
        text = reply.read()
        local.headers = reply.headers
        return reply.status, json.loads(text) if text else None
    except (OSError, http.client.HTTPException) as error:
        if url in connections:
            connections.pop(url).close()
        raise Away(repr(error)) from error


def at_once(*arguments, **named):
    """As call(), where being asked again is no part of the fact: a 504, the end of a call's two seconds, is Late."""
    status, answer = call(*arguments, **named)
    if status == 504:
        raise Late(f"{arguments[0]} {arguments[1]}: 504")
    return status, answer


def headers():
    return local.headers


def forget_connections():
    """Of this thread: after a gateway was killed."""
    for connection in local.__dict__.pop("connections", {}).values():
        connection.close()


def in_time(token):
    """It, or when its time is over another of the same account: a long run outlives its tokens."""
    while token in successors:
        token = successors[token]
    if token not in accounts:
        return token
    claims = token.split(".")[1]
    if json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"] > time.time() + 5:
        return token
    successors[token] = login(*accounts[token])
    return successors[token]


def insist(method, path, token=None, body=None, key=None, seconds=2 * PATIENCE_S, url=None):
    """As call(), again after 503, 504, 429, in_flight and broken connections: what a good client does."""
    global retries
    end = time.monotonic() + seconds
    while True:
        try:
            status, answer = call(method, path, in_time(token), body, key, url=url)
            passing = status in (429, 503, 504) or (status == 409 and answer["code"] in ("in_flight", "busy"))
            if not passing:
                return status, answer
        except Away:
            pass
        if time.monotonic() > end:
            raise AssertionError(f"{method} {path}: no answer in {seconds} s")
        retries += 1
        time.sleep(0.1)


def login(handle, password="coffee-demo"):
    status, answer = insist("POST", "/login", body={"handle": handle, "password": password})
    assert status == 200, answer
    accounts[answer["accessToken"]] = handle, password
    return answer["accessToken"]


def newcomer():
    """A customer nobody else orders for: (id, token)."""
    handle = "t" + uuid.uuid4().hex[:12]
    password = "a good long password"
    status, answer = insist("POST", "/users", key="k" + handle, body={
        "handle": handle, "email": handle + "@example.org", "password": password, "name": "Newcomer"})
    assert status == 201, answer
    return answer["customer"]["id"], login(handle, password)


def clear_queue(customer, token):
    """Cancels what this customer still has open: the queue that screens get is of bounded length."""
    for order, in sql(f"SELECT id FROM orders.orders WHERE customer_id = '{customer}' AND status = 'placed'"):
        status, answer = insist("POST", f"/orders/{order}/cancel", token, {})
        assert status == 200, answer


def fact(function, *rows):
    """Runs one fact; its docstring or name says which."""
    global failures
    name = " ".join([function.__name__, *rows])
    try:
        function()
        print("ok", name, flush=True)
    except Exception as error:  # the next facts still count
        failures += 1
        where = " < ".join(f"{os.path.basename(step.filename)}:{step.lineno}"
                           for step in reversed(traceback.extract_tb(error.__traceback__)[1:]))
        print("not ok", name, f"\n  | {type(error).__name__}: {error}\n  | at {where}", flush=True)


def finish():
    sys.exit(1 if failures else 0)


def pid_of(process):
    with open(os.path.join(os.environ["TEST_STACK_RUN"], process, "pid"), encoding="ascii") as file:
        return int(file.read().split()[0])


def settings_of(process):
    """What the stack tells that daemon, by name."""
    with open(os.path.join(os.environ["TEST_STACK_RUN"], process, "run"), encoding="utf-8") as file:
        pairs = [line[7:].rstrip("\n").split("=", 1) for line in file if line.startswith("export ")]
    return {name: value.strip("'") for name, value in pairs}


def kill(process, number=signal.SIGKILL):
    try:
        pid = pid_of(process)
        os.kill(pid, number)
        if number == signal.SIGSTOP:  # until then a thread that is at work may answer once more
            within(PATIENCE_S, has_stopped, pid)
    except (ProcessLookupError, FileNotFoundError):
        pass  # it is down already: the supervisor is at it


def has_stopped(pid):
    """Each of its threads."""
    states = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii", errors="replace") as file:
                states.add(file.read().rpartition(")")[2].split()[0])
        except (FileNotFoundError, ProcessLookupError):
            return False  # it ends just now
    return states == {"T"}


def is_down(process):
    return not os.path.exists(os.path.join(os.environ["TEST_STACK_RUN"], process, "pid"))


def wish(process, state):
    """Asks the stack's supervisor to stop a process ("down") and waits for that, or to start it ("up")."""
    run = os.environ["TEST_STACK_RUN"]
    with open(os.path.join(run, process, "want"), "w", encoding="ascii") as file:
        file.write(state + "\n")
    with open(os.path.join(run, "supervisor.pid"), encoding="ascii") as file:
        os.kill(int(file.read().split()[0]), signal.SIGHUP)
    if state == "down" and process not in ("postgres", "valkey", "kafka"):
        within(PATIENCE_S, is_down, process)


def sql(query, database="order_db"):
    """Rows of a query, as lists of text."""
    admin = os.environ["TEST_PG_ADMIN_URL"].rsplit("/", 1)[0] + "/" + database
    out = subprocess.run(["psql", "-qAtX", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", admin, "-c", query],
                         check=True, capture_output=True, text=True, timeout=60).stdout
    return [line.split("\t") for line in out.splitlines()]


@functools.cache
def valkey_home():
    return subprocess.run(["sh", "-c", '. "$ROOT/tools/stack/all.sh"; echo "$VALKEY_BIN"; valkey_libs'], check=True,
                          capture_output=True, text=True, timeout=30, env={**os.environ, "ROOT": ROOT}).stdout.split()


def valkey(*command):
    """One command as the administrator: the answer as lines of text."""
    home = valkey_home()
    out = subprocess.run(
        [home[0] + "/valkey-cli", "--no-auth-warning", "--user", os.environ["VALKEY_USER"], "-h",
         os.environ["VALKEY_HOST"], "-p", os.environ["VALKEY_PORT"], *command], check=True, capture_output=True,
        text=True, timeout=10, env={"LD_LIBRARY_PATH": home[1], "REDISCLI_AUTH": os.environ["VALKEY_PASSWORD"]}).stdout
    return out.splitlines()


def read_topic(name):
    """Its lines; nothing while the broker comes back. A topic of ours is never empty when a test reads it."""
    done = subprocess.run(["kcat", "-C", "-e", "-q", "-o", "beginning", "-b", os.environ["KAFKA_BROKERS"], "-t", name,
                           "-f", "%p\t%k\t%s\n"], check=False, capture_output=True, text=True, timeout=2 * PATIENCE_S)
    return done.stdout.splitlines() if done.returncode == 0 else None


def topic(name):
    """Every message of a Kafka topic now: a list of (partition, key, envelope), in order within a partition."""
    rows = [line.split("\t", 2) for line in within(PATIENCE_S, read_topic, name)]
    return [(int(partition), key, json.loads(value)) for partition, key, value in rows]


def within(seconds, check, *arguments):
    """What check() returns, as soon as that is true; an AssertionError after so many seconds. No answer is not yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = check(*arguments)
        except Away:
            found = None
        if found:
            return found
        assert time.monotonic() < end, f"{check.__name__} is not true after {seconds} s"
        time.sleep(0.1)


def the_best_of(tries, limit_s, measure):
    """The seconds measure() tells must once be at most limit_s: other work on the machine makes it slower, never
    quicker."""
    took = []
    while not took or min(took) > limit_s:
        assert len(took) < tries, f"{', '.join(f'{t:.2f}' for t in took)} s: each more than {limit_s} s"
        try:
            took.append(measure())
        except Late:
            took.append(math.inf)
    return min(took)


def in_one_of(tries, round_, *arguments):
    """What round_() returns where nothing in it is Late. A machine that stands still for seconds spoils a round; a
    fault of ours each."""
    for left in reversed(range(tries)):
        try:
            return round_(*arguments)
        except Late as late:
            if not left:
                raise
            print(f"  once more: {late}", flush=True)
    raise AssertionError("no round at all")


def get(url, timeout=15):
    """(status, text) of a GET outside the API: /readyz, /metrics. (0, "") when nobody answers."""
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=timeout)
    try:
        connection.request("GET", place._replace(scheme="", netloc="").geturl())
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def metric(url, name, *labels):
    """The sum of a metric's series that have these labels ('code="OK"')."""
    total = 0.0
    status, text = get(url + "/metrics")
    if status != 200:
        raise Away(f"{url}/metrics: {status}")
    for line in text.splitlines():
        if line.startswith(name) and line[len(name)] in " {" and all(label in line for label in labels):
            total += float(line.split("}")[-1].split("#")[0].split()[0] if "{" in line else line.split()[1])
    return total
