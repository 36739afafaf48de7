"""The requests of recorded-v1.json, in their order: each member that was in an answer of v1 is there, of its type.

Members may be added to the record, never taken away: then a client of v1 breaks. Written as "items[].name": "string";
"{name}" in a path or body is what an earlier step kept."""
import json
import os
import secrets
import time
import uuid

import shop

TYPES = {"string": str, "number": (int, float), "boolean": bool, "array": list, "object": dict}
RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recorded-v1.json")


def filled(value, kept):
    if isinstance(value, str):
        for name, text in kept.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, list):
        return [filled(one, kept) for one in value]
    if isinstance(value, dict):
        return {name: filled(one, kept) for name, one in value.items()}
    return value


def found(answer, path):
    """Every value at a path such as "items[].customizations[].id"."""
    values = [answer]
    for name in path.split("."):
        is_list = name.endswith("[]")
        values = [value[name.removesuffix("[]")] for value in values]
        if is_list:
            values = [one for value in values for one in value]
    return values


def is_of_type(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def has_members(step, answer):
    where = f"{step['request']} as {step.get('as', 'nobody')}"
    for path, kind in step.get("members", {}).items():
        try:
            values = found(answer, path)
        except (KeyError, TypeError) as error:
            raise AssertionError(f"{where}: {path} is gone: {answer}") from error
        assert values, f"{where}: nothing at {path}: the record needs an answer that has one: {answer}"
        for value in values:
            assert is_of_type(value, kind), f"{where}: {path} was a {kind} and is {value!r}"


def is_there(step, answer):
    try:
        return all(found(answer, path) for path in step["members"])
    except KeyError:
        return False


def play(step, kept, tokens):
    method, path = filled(step["request"], kept).split(" ", 1)
    key = str(uuid.uuid4()) if step.get("idempotent") else None

    def ask():
        status, answer = shop.insist(method, path, tokens.get(step.get("as")), filled(step.get("body"), kept), key)
        assert status == step["status"], f"{step['request']}: {status}, not {step['status']}: {answer}"
        return answer
    answer = ask()
    end = time.monotonic() + shop.PATIENCE_S
    while step.get("eventually") and not is_there(step, answer):
        assert time.monotonic() < end, f"{step['request']}: not in time: {answer}"
        time.sleep(0.2)
        answer = ask()
    has_members(step, answer)
    for name, member in step.get("keep", {}).items():
        kept[name] = found(answer, member)[0]


def every_recorded_call_has_the_members_it_had():
    with open(RECORD, encoding="utf-8") as file:
        steps = json.load(file)
    handle = "v" + secrets.token_hex(6)
    kept = {"handle": handle, "password": "a good long password", "address": secrets.token_hex(32)}
    tokens = {"barista": shop.login("barista"), "admin": shop.login("admin")}
    for step in steps:
        play(step, kept, tokens)
        if "token" in kept:
            tokens["customer"] = kept["token"]
    print(f"  {len(steps)} calls, {sum(len(step.get('members', {})) for step in steps)} members")


shop.fact(every_recorded_call_has_the_members_it_had, "GW-14")
shop.finish()
