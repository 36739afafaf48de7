"""Every id that a route takes, in its path, query or body, with somebody else's: 404, and nothing has changed.

The routes are those of /openapi.json. An id that no table here knows fails the walk: who adds a route says whose
its ids are."""
import json
import re
import secrets
import time
import uuid

import live
import shop

PUBLIC = None  # nobody's: to see it is everybody's right
# The path up to the id, or a field as "METHOD path name" or "name" anywhere: what it is the id of.
KINDS = {
    "/orders/{id}": "order",
    "/ws/orders/{id}": "order",
    "/payments/{orderId}": "order's payment",
    "/favorites/{id}": "favourite",
    "/sessions/{id}": "session",
    "/devices/{id}": "device",
    "/users/{id}": "account",
    "/menu/{id}": PUBLIC,
    "/photos/{id}": PUBLIC,
    "/photos/{id}/{size}": PUBLIC,
    "/customizations/{id}": PUBLIC,
    "menuItemId": PUBLIC,
    "customizationIds": PUBLIC,
    "POST /login deviceId": PUBLIC,  # what a client calls itself
    "POST /token/refresh deviceId": PUBLIC,
    "POST /live-activities deviceId": "device",
    "POST /live-activities orderId": "own order",  # who may see an order need not have it on their lock screen
    "POST /orders onBehalfOf": "account",
}
# Others than the owner whose business it is.
ALSO = {"order": {"barista", "admin"}, "order's payment": {"admin"}, "account": {"barista", "admin"}}
# A field that only staff may send at all is refused as a role is.
STAFF_FIELDS = {"POST /orders onBehalfOf"}
PARAMETER = re.compile(r"\{(\w+)\}")
DOCUMENT = json.loads(shop.get(shop.URL + "/openapi.json")[1])


class Person:
    """Who has one of each kind: .things, lists of ids by kind."""

    def __init__(self, role, customer=None, token=None):
        self.role, self.customer, self.token = role, customer, token
        self.things = {"account": [customer], "session": [one["id"] for one in self.ask("GET", "/sessions")["sessions"]]}
        self.device = self.ask("POST", "/devices", {"apns": {"token": secrets.token_hex(32), "environment": "sandbox"}})
        self.things["device"] = [self.device["id"]]

    def ask(self, method, path, body=None, token=None):
        status, answer = shop.insist(method, path, token or self.token, body)
        assert status in (200, 201), f"{method} {path}: {status} {answer}"
        return answer

    def has_all(self, barista):
        """Orders in each state whose next move is a customer's, so that it is the id alone that forbids it."""
        orders = [self.ask("POST", "/orders", shop.LATTE)["id"] for _ in range(3)]
        for order, moves in zip(orders, ([], ["accept", "ready"], ["accept", "ready", "pickup"])):
            for move in moves:
                self.ask("POST", f"/orders/{order}/{move}", {}, barista)
        favourite = self.ask("POST", "/favorites", {"menuItemId": "flat-white"})["id"]
        self.ask("POST", "/live-activities", {"deviceId": self.device["id"], "token": secrets.token_hex(32)})
        self.things |= {"order": orders, "order's payment": orders, "own order": orders, "favourite": [favourite]}

    def go(self):
        shop.insist("DELETE", f"/devices/{self.device['id']}", self.token)


# ---- what the document says ----

def resolve(schema):
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        schema = DOCUMENT["components"]["schemas"][name]
    return schema


def id_fields(schema, inside=""):
    """(path of names, name) of each field of a request that looks like an id."""
    schema = resolve(schema)
    for name, field in schema.get("properties", {}).items():
        field = resolve(field)
        items = resolve(field.get("items", {}))
        if re.search(r"(^id|Ids?)$", name) or "uuid" in (field.get("format"), items.get("format")):
            yield inside + name, name
        if inside.count(".") < 5:
            yield from id_fields(items if items else field, f"{inside}{name}.")


def operations():
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def kind_of(route, *names):
    for name in names:
        if name in KINDS:
            return KINDS[name]
    raise AssertionError(f"{route}: KINDS has none of {names}: whose is it?")


def content_of(operation):
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {"schema": {}})


def claims():
    """(method, path, place, name, kind, operation) of every id that every route takes and that is somebody's."""
    for method, path, operation in operations():
        route = f"{method} {path}"
        for found in PARAMETER.finditer(path):
            kind = kind_of(route, path[:found.end()])
            if kind is not PUBLIC:
                yield method, path, "path", found[1], kind, operation
        for parameter in operation.get("parameters", []):
            if parameter.get("in") == "query" and (parameter["name"].endswith("Id") or "uuid" in str(parameter["schema"])):
                raise AssertionError(f"{route}: an id in the query, {parameter['name']}: this walk knows none yet")
        for where, name in id_fields(content_of(operation)["schema"]):
            kind = kind_of(route, f"{route} {where}", name)
            assert kind is PUBLIC or "." not in where, f"{route}: somebody's id inside {where}: this walk knows none yet"
            if kind is not PUBLIC:
                yield method, path, "body", name, kind, operation


# ---- the walk ----

def request(method, path, token, body):
    if path.startswith("/ws/"):
        try:
            live.WebSocket(path, token).close()
            return 101, {"code": "opened"}
        except live.Refused as refused:
            if refused.status in (503, 504):
                raise shop.Away(refused.status) from refused
            return refused.status, json.loads(str(refused).split(": ", 1)[1])
    return shop.insist(method, path, token, body, str(uuid.uuid4()) if method == "POST" else None)


def body_of(caller, route, operation, **foreign):
    """The example, with ids of the caller's own where it may have some, and the one that is not."""
    content = content_of(operation)
    body = dict(content.get("example", {}))
    for _, name in id_fields(content["schema"]):
        kind = KINDS.get(f"{route} {name}")
        if name in body and kind in caller.things:
            body[name] = caller.things[kind][0]
    return {**body, **foreign}


def is_refused(caller, claim, thing):
    method, path, place, name, kind, operation = claim
    route = f"{method} {path}"
    foreign = {name: thing} if place == "body" else {}
    body = body_of(caller, route, operation, **foreign) if "requestBody" in operation else None
    real = path.replace("{" + name + "}", thing) if place == "path" else path
    status, answer = shop.within(shop.PATIENCE_S, request, method, real, caller.token, body)
    by_role = caller.role not in operation["x-roles"] or f"{route} {name}" in STAFF_FIELDS
    due = (403, "forbidden") if by_role else (404, "not_found")
    assert (status, answer and answer.get("code")) == due, f"{caller.role}, {route}, {name} of a {kind}: {status} {answer}"


def tables():
    """(database, table, condition) of all that is somebody's."""
    for database in ("order_db", "customer_db"):
        for table, columns in shop.sql(
                "SELECT c.table_schema || '.' || c.table_name, string_agg(column_name, ' ') FROM information_schema.columns c "
                "JOIN information_schema.tables t USING (table_schema, table_name) WHERE t.table_type = 'BASE TABLE' "
                "AND c.table_schema NOT IN ('pg_catalog', 'information_schema') GROUP BY 1", database):
            columns = columns.split()
            keys = [key for key in ("customer_id", "order_id", "caller", "session_id", "placed_by") if key in columns]
            if table in ("orders.orders", "customer.customers"):
                keys.append("id")
            if keys:
                yield database, table, keys


def rows_of(person, places):
    """Every row that names the person or an order or a session of theirs, by table."""
    mine = [person.customer] + person.things["order"] + person.things["session"]
    names = ", ".join(f"'{one}'" for one in mine)
    return {table: shop.sql(f"SELECT t FROM {table} t WHERE " + " OR ".join(f"{key}::text IN ({names})" for key in keys) +
                            " ORDER BY t::text", database) for database, table, keys in places}


def is_settled(person, places):
    """What the orders have set off (notices, workflows, points) is over."""
    before = rows_of(person, places)
    time.sleep(1)
    return before == rows_of(person, places) and shop.sql("SELECT count(*) FROM outbox.events") == [["0"]]


def a_foreign_id_is_not_found_on_every_route_and_nothing_changes():
    shop.in_one_of(3, all_foreign_ids)


def all_foreign_ids():
    barista = shop.login("barista")
    owner = Person("customer", *shop.newcomer())
    owner.has_all(barista)
    callers = [Person("customer", *shop.newcomer())]
    callers += [Person(role, None, shop.login(role)) for role in ("barista", "driver", "admin")]
    places, known = list(tables()), list(claims())
    shop.within(shop.PATIENCE_S, is_settled, owner, places)
    before, asked = rows_of(owner, places), 0
    for caller in callers:
        for claim in known:
            kind = claim[4]
            if caller.role in ALSO.get(kind, ()):
                continue
            for thing in owner.things[kind]:
                is_refused(caller, claim, thing)
                asked += 1
    time.sleep(1)
    after = rows_of(owner, places)
    changed = [table for table in before if before[table] != after[table]]
    assert shop.insist("GET", "/users/me", owner.token)[0] == 200, "a stranger ended the owner's session"
    if changed:  # by a stranger each time, or once by what an order set off a second late
        raise shop.Late(f"a stranger changed {changed}")
    print(f"  {asked} requests with another's id, {len(known)} places for one, {len(places)} tables unchanged")
    shop.clear_queue(owner.customer, owner.token)
    for person in callers + [owner]:
        person.go()


def no_list_of_a_stranger_has_what_is_anothers():
    """The routes without an id: nothing of the owner's is in what a newcomer or a driver gets."""
    owner, stranger = Person("customer", *shop.newcomer()), Person("customer", *shop.newcomer())
    owner.has_all(shop.login("barista"))
    secret = {thing for things in owner.things.values() for thing in things}
    asked = 0
    for token in (stranger.token, shop.login("driver")):
        for method, path, operation in operations():
            if method != "GET" or PARAMETER.search(path) or path.startswith("/ws/") or "anyone" in operation["x-roles"]:
                continue
            status, answer = shop.insist("GET", path, token)
            assert status in (200, 403, 404), f"{path}: {status} {answer}"
            shown = {thing for thing in secret if thing in json.dumps(answer)}
            assert not shown, f"{path} shows {shown}"
            asked += 1
    assert shop.insist("GET", "/orders?scope=all", stranger.token)[0] == 403
    assert asked > 10, "the document has hardly a list"
    shop.clear_queue(owner.customer, owner.token)
    for person in (owner, stranger):
        person.go()


def the_lock_screen_shows_ones_own_orders_alone():
    """The row of a stranger's Live Activity, however it came there, tells nobody."""
    owner, stranger = Person("customer", *shop.newcomer()), Person("customer", *shop.newcomer())
    order = owner.ask("POST", "/orders", shop.LATTE)["id"]
    tokens = [secrets.token_hex(32), secrets.token_hex(32)]
    owner.ask("POST", "/live-activities", {"deviceId": owner.device["id"], "token": tokens[0], "orderId": order})
    shop.sql("INSERT INTO notify.live_activities (id, device_id, customer_id, order_id, token) VALUES (gen_random_uuid(),"
             f" '{stranger.device['id']}', '{stranger.customer}', '{order}', '{tokens[1]}')", "customer_db")
    owner.ask("POST", f"/orders/{order}/accept", {}, shop.login("barista"))

    def told(token):
        return shop.sql(f"SELECT stage FROM notify.notices WHERE token = '{token}'", "customer_db")
    shop.within(shop.PATIENCE_S, told, tokens[0])
    owner.ask("POST", f"/orders/{order}/ready", {}, shop.login("barista"))
    shop.within(shop.PATIENCE_S, lambda: len(told(tokens[0])) >= 2)
    assert told(tokens[1]) == [], "a stranger follows the order"
    assert stranger.ask("GET", "/inbox")["notices"] == []
    for person in (owner, stranger):
        person.go()


shop.fact(a_foreign_id_is_not_found_on_every_route_and_nothing_changes, "SEC-08")
shop.fact(no_list_of_a_stranger_has_what_is_anothers, "SEC-08")
shop.fact(the_lock_screen_shows_ones_own_orders_alone, "SEC-08")
shop.finish()
