"""Random walks: random people send random commands to orders; a model, written by hand, says what must
come of each. Status, body and the order's next state must agree with it at every step."""
import os
import random
import time

import shop

STEPS = int(os.environ.get("STEPS", "1500"))
UNDO_S = 25  # "ready" may be undone for 30: the model knows no time
# command: from which status to which, and who may: staff, or also the owner
MOVES = {
    "accept": ({"placed": "preparing"}, False),  # AUTO_PREPARE
    "decline": ({"placed": "cancelled"}, False),
    "preparing": ({"accepted": "preparing"}, False),
    "ready": ({"accepted": "ready", "preparing": "ready"}, False),
    "undo-ready": ({"ready": "preparing"}, False),
    "pickup": ({"ready": "completed"}, True),
    "cancel": ({"placed": "cancelled", "accepted": "cancelled", "preparing": "cancelled"}, True),
}
BODY = {"decline": {"reason": "no beans"}}


class Model:
    def __init__(self, order, owner):
        self.id, self.owner, self.status, self.seq = order["id"], owner, "placed", 1
        self.last = None  # (command, who)
        self.moved_s = 0.0

    def expect(self, command, who, role):
        """(HTTP status, code) and, when it is 200, the order moves."""
        moves, owner_may = MOVES[command]
        staff = role in ("barista", "admin")
        owner = who == self.owner
        if not staff and not owner_may:
            return 403, "forbidden"
        if not staff and not owner:
            return 404, "not_found"
        if self.last == (command, who):
            return 200, None
        if self.status not in moves:
            return 409, "illegal_move"
        if command == "cancel" and not staff and self.status != "placed":
            return 409, "illegal_move"
        self.seq += 2 if command == "accept" else 1
        self.status = moves[self.status]
        self.moved_s = time.monotonic()
        self.last = (command, who)
        return 200, None


def random_walks_agree_with_the_model():
    dice = random.Random(11)
    people = {who: (role, shop.login(who)) for who, role in
              [("customer", "customer"), ("customer2", "customer"), ("barista", "barista"),
               ("barista2", "barista"), ("admin", "admin")]}
    models, left_out = [], 0
    for step in range(STEPS):
        if len(models) < 3 or dice.random() < 0.1:
            who = dice.choice(["customer", "customer2", "admin"])
            status, order = shop.insist("POST", "/orders", people[who][1], shop.LATTE)
            assert status == 201, order
            models = (models + [Model(order, who)])[-8:]
            continue
        model = dice.choice(models)
        command = dice.choice(list(MOVES))
        who = dice.choice(list(people))
        role, token = people[who]
        if command == "undo-ready" and model.status == "ready" and time.monotonic() - model.moved_s > UNDO_S:
            left_out += 1
            continue
        before = model.status
        want, code = model.expect(command, who, role)
        status, answer = shop.insist("POST", f"/orders/{model.id}/{command}", token, BODY.get(command, {}))
        said = f"step {step}: {who} {command} on {before}: {status} {answer}"
        assert status == want, f"{said}; the model says {want} {code}"
        if want == 200:
            assert (answer["status"], answer["seq"]) == (model.status, model.seq), f"{said}; {model.status} {model.seq}"
        else:
            assert answer["code"] == code, f"{said}; the model says {code}"
    print(f"  {STEPS} steps, {left_out} of them left out, no disagreement")


shop.fact(random_walks_agree_with_the_model, "ORD-03", "AUTH-03")
shop.finish()
