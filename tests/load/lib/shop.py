"""The shop as a client sees it: signing in, ordering, moving; and the identities of grpc-as."""
import json
import os
import subprocess
import urllib.request

from machine import BIN

URL = os.environ["HTTP_URL"]
DRINK = "/menu/flat-white"
ORDER = json.dumps({"items": [{"menuItemId": "flat-white", "quantity": 1, "customizationIds": ["oat-milk"]},
                              {"menuItemId": "espresso", "quantity": 2}]})
JSON = {"Content-Type": "application/json"}


def call(method, path, token=None, body=None):
    headers = dict(JSON)
    if token:
        headers["Authorization"] = "Bearer " + token
    request = urllib.request.Request(URL + path, body and body.encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def login(handle):
    body = json.dumps({"handle": handle, "password": "coffee-demo"})
    return call("POST", "/login", body=body)["accessToken"]


def subject(token):
    return call("GET", "/users/me", token)["id"]


def identity(role, method, who):
    """The x-identity of a call to order-service; good for a minute."""
    line = subprocess.run([f"{BIN}/grpc-as", role, "order-service", method, who],
                          capture_output=True, text=True, check=True).stdout
    return line.split(": ", 1)[1].strip()


def psql(sql, url=os.environ["TEST_PG_ADMIN_URL"], database="order_db"):
    return subprocess.run(["psql", "-qAtX", "-d", url.rsplit("/", 1)[0] + "/" + database, "-c", sql],
                          capture_output=True, text=True, check=True).stdout.strip()
