"""Sixteen clients send one Idempotency-Key at once, round after round, while order-service is killed now
and then. Clients retry what a good client retries. Each round must make one order, and tell all of it; with two
different orders under one key it makes the one that was first, and refuses the other."""
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import books
import shop

ROUNDS = int(os.environ.get("ROUNDS", "60"))
KILLS = max(2, ROUNDS // 50)
CLIENTS = 16
TWO_LATTES = {"items": [{**shop.LATTE["items"][0], "quantity": 2}]}
dice = random.Random(5)


def rounds(name, people, bodies, count):
    """The answers of each round; the clients take turns with people and bodies. Some rounds meet a kill."""
    doomed = set(dice.sample(range(count), max(2, count * KILLS // ROUNDS)))
    with ThreadPoolExecutor(CLIENTS) as clients:
        for n in range(count):
            asked = [clients.submit(shop.insist, "POST", "/orders", people[i % len(people)][1],
                                    bodies[i // len(people) % len(bodies)], f"{name}-{n}") for i in range(CLIENTS)]
            if n in doomed:
                time.sleep(dice.random() * 0.03)
                shop.kill("order-service")
            yield [a.result() for a in asked]


def orders_of(customer):
    return int(shop.sql(f"SELECT count(*) FROM orders.orders WHERE customer_id = '{customer}'")[0][0])


def one_key_makes_one_order_and_one_answer():
    customer, token = shop.newcomer()
    for answers in rounds("round", [(customer, token)], [shop.LATTE], ROUNDS):
        assert all(status == 201 for status, _ in answers), answers[0]
        assert all(answer == answers[0][1] for _, answer in answers), f"answers differ: {answers}"
    assert orders_of(customer) == ROUNDS, f"{ROUNDS} rounds made {orders_of(customer)} orders"
    shop.clear_queue(customer, token)
    print(f"  {ROUNDS} rounds of {CLIENTS}, {KILLS} kills, {shop.retries} retries: {ROUNDS} orders")


def of_two_orders_under_one_key_the_first_is_made_and_the_other_refused():
    (customer, token), count, firsts = shop.newcomer(), max(10, ROUNDS // 5), {1: 0, 2: 0}
    for answers in rounds("two", [(customer, token)], [shop.LATTE, TWO_LATTES], count):
        made = [answer for status, answer in answers if status == 201]
        refused = [answer["code"] for status, answer in answers if status == 422]
        assert len(made) == len(refused) == CLIENTS // 2 and set(refused) == {"idempotency_mismatch"}, answers
        assert all(answer == made[0] for answer in made), f"answers differ: {made}"
        firsts[made[0]["items"][0]["quantity"]] += 1
    assert orders_of(customer) == count, f"{count} rounds made {orders_of(customer)} orders"
    held = [hold["id"] for hold in books.holds_of([customer]).values()]
    paid = {row[0] for row in shop.sql(f"SELECT hold_id FROM payment.payments WHERE customer_id = '{customer}'")}
    assert len(paid) == count and paid <= set(held), f"{count} orders, {len(paid)} payments, {len(held)} holds"
    shop.clear_queue(customer, token)
    print(f"  {count} rounds: {firsts[1]} times the one, {firsts[2]} times the other; {len(held) - len(paid)} holds to give back")


def one_key_of_two_people_makes_an_order_each():
    people, count = [shop.newcomer(), shop.newcomer()], max(10, ROUNDS // 5)
    for answers in rounds("both", people, [shop.LATTE], count):
        assert all(status == 201 for status, _ in answers), answers
        for at, (customer, _) in enumerate(people):
            own = answers[at::2]
            assert all(answer == own[0][1] and answer["customerId"] == customer for _, answer in own), own
    for customer, token in people:
        assert orders_of(customer) == count
        shop.clear_queue(customer, token)


shop.fact(one_key_makes_one_order_and_one_answer, "ORD-24")
shop.fact(of_two_orders_under_one_key_the_first_is_made_and_the_other_refused, "ORD-24")
shop.fact(one_key_of_two_people_makes_an_order_each, "ORD-24")
shop.finish()
