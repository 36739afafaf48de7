"""Sixteen clients send one Idempotency-Key at once, round after round, while order-service is killed now
and then. Clients retry what a good client retries. Each round must make one order, and tell all of it."""
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import shop

ROUNDS = int(os.environ.get("ROUNDS", "60"))
KILLS = max(2, ROUNDS // 50)
CLIENTS = 16


def one_key_makes_one_order_and_one_answer():
    customer, token = shop.newcomer()
    dice = random.Random(5)
    doomed = set(dice.sample(range(ROUNDS), KILLS))
    with ThreadPoolExecutor(CLIENTS) as clients:
        for n in range(ROUNDS):
            key = f"round-{n}"
            asked = [clients.submit(shop.insist, "POST", "/orders", token, shop.LATTE, key) for _ in range(CLIENTS)]
            if n in doomed:
                time.sleep(dice.random() * 0.03)
                shop.kill("order-service")
            answers = [a.result() for a in asked]
            assert all(status == 201 for status, _ in answers), answers[0]
            assert all(answer == answers[0][1] for _, answer in answers), f"round {n}: answers differ"
    orders, = shop.sql(f"SELECT count(*) FROM orders.orders WHERE customer_id = '{customer}'")
    assert orders == [str(ROUNDS)], f"{ROUNDS} rounds made {orders} orders"
    shop.clear_queue(customer, token)
    print(f"  {ROUNDS} rounds of {CLIENTS}, {KILLS} kills, {shop.retries} retries: {orders[0]} orders")


shop.fact(one_key_makes_one_order_and_one_answer, "ORD-24")
shop.finish()
