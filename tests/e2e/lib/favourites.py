"""A favourite is kept only with what goes together in one drink, so that the usual can be ordered."""
import uuid

import shop

customer, token = shop.newcomer()


def keep(*customizations):
    return shop.insist("POST", "/favorites", token, {"menuItemId": "flat-white", "isUsual": True,
                                                     "customizationIds": customizations}, key=str(uuid.uuid4()))


def refused(*customizations):
    status, problem = keep(*customizations)
    assert status == 422, (customizations, problem)
    return [(fault["field"], fault["message"]) for fault in problem["errors"]]


def a_second_milk_size_or_temperature_is_refused_and_named():
    second = "is a second one of its kind: choose one"
    assert refused("oat-milk", "vanilla", "soy-milk") == [("customizationIds[2]", second)]
    assert refused("small", "large") == [("customizationIds[1]", second)]
    assert refused("iced", "vanilla", "extra-hot") == [("customizationIds[2]", second)]


def what_may_be_had_together_is_kept_and_ordered():
    status, kept = keep("oat-milk", "large", "vanilla", "caramel", "extra-shot", "decaf", "vanilla")
    assert status == 201, kept
    status, order = shop.insist("POST", "/orders/usual", token, {}, key=str(uuid.uuid4()))
    assert status == 201, order
    assert len(order["items"][0]["customizations"]) == 6, order


shop.fact(a_second_milk_size_or_temperature_is_refused_and_named, "FAV-01")
shop.fact(what_may_be_had_together_is_kept_and_ordered, "FAV-01")
shop.clear_queue(customer, token)
shop.finish()
