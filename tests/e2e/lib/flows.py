"""What Temporal knows of orders, by its HTTP door."""
import json
import os
import urllib.parse
import uuid

import shop

NAMESPACE = f"http://{os.environ['TEMPORAL_HOST']}:{os.environ['TEMPORAL_HTTP_PORT']}/api/v1/namespaces/default"
URL = NAMESPACE + "/workflows/"


def describe(order):
    """(state, what is under way): ("RUNNING", ["NotifyBarista"]); (None, []) when there is no such workflow."""
    status, text = shop.get(f"{URL}order-{order}")
    if status != 200:
        return None, []
    answer = json.loads(text)
    pending = [activity["activityType"]["name"] for activity in answer.get("pendingActivities", [])]
    return answer["workflowExecutionInfo"]["status"].removeprefix("WORKFLOW_EXECUTION_STATUS_"), pending


def attempts(order):
    """Of the activities under way: {"NotifyBarista": 3}."""
    answer = json.loads(shop.get(f"{URL}order-{order}")[1])
    return {one["activityType"]["name"]: int(one.get("attempt", 1)) for one in answer.get("pendingActivities", [])}


def pollers(queue):
    """Who polls that queue."""
    return [one["identity"] for one in json.loads(shop.get(f"{NAMESPACE}/task-queues/{queue}")[1]).get("pollers", [])]


def state(order):
    return describe(order)[0]


def is_in(order, *states):
    return state(order) in states


def history(order):
    """Every event so far, as Temporal's own JSON."""
    status, text = shop.get(f"{URL}order-{order}/history")
    if status != 200:
        raise shop.Away(f"history: {status} {text}")
    answer = json.loads(text)
    assert not answer.get("nextPageToken"), "more than a page"
    return answer["history"]["events"]


def steps(order):
    """The names of activities that were completed, in the order they were scheduled."""
    names, done = {}, set()
    for event in history(order):
        if event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED":
            names[event["eventId"]] = event["activityTaskScheduledEventAttributes"]["activityType"]["name"]
        elif event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_COMPLETED":
            done.add(event["activityTaskCompletedEventAttributes"]["scheduledEventId"])
    return [name for at, name in names.items() if at in done]


def reset(order, step):
    """Back to before the activity of that name was last scheduled."""
    task = [event["activityTaskScheduledEventAttributes"]["workflowTaskCompletedEventId"] for event in history(order)
            if event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"
            and event["activityTaskScheduledEventAttributes"]["activityType"]["name"] == step][-1]
    status, answer = shop.call("POST", urllib.parse.urlsplit(f"{URL}order-{order}/reset").path, url=NAMESPACE, body={
        "workflowExecution": {"workflowId": f"order-{order}"}, "reason": "the cause is gone",
        "workflowTaskFinishEventId": task, "requestId": str(uuid.uuid4())})
    assert status == 200, answer


def running(kind):
    """How many workflows of that type are open, as Temporal counts."""
    query = urllib.parse.quote(f"WorkflowType = '{kind}' AND ExecutionStatus = 'Running'")
    status, text = shop.get(f"{NAMESPACE}/workflow-count?query={query}")
    if status != 200:
        raise shop.Away(f"workflow-count: {status} {text}")
    return int(json.loads(text).get("count", 0))


def count(order, kind):
    return sum(event["eventType"] == "EVENT_TYPE_" + kind for event in history(order))


def ends(order, wanted="COMPLETED", seconds=2 * shop.PATIENCE_S):
    """Waits until the workflow is over; it must then be in that state."""
    def over():
        found = state(order)
        return found in ("COMPLETED", "FAILED", "CANCELED", "TERMINATED", "TIMED_OUT") and found

    found = shop.within(seconds, over)
    assert found == wanted, f"order-{order} is {found}, not {wanted}"


def until(order, step, seconds=shop.PATIENCE_S):
    """Waits until that activity was completed."""
    shop.within(seconds, lambda: state(order) and step in steps(order))


def nothing_waits():
    (waiting,), = shop.sql("SELECT count(*) FROM outbox.events WHERE sink = 'temporal'")
    (dead,), = shop.sql("SELECT count(*) FROM outbox.dead WHERE sink = 'temporal'")
    assert dead == "0", f"{dead} rows can never be told to Temporal"
    return waiting == "0"


def wait_for_those_before():
    """Temporal is told in order, and earlier tests may have placed more than a busy machine has told it of yet."""
    def all_is_told():
        return shop.sql("SELECT count(*) FROM outbox.events WHERE sink = 'temporal'") == [["0"]]

    shop.within(10 * shop.PATIENCE_S, all_is_told)


def swept(url):
    """Orders that the sweep of that order-service ended."""
    return shop.metric(url, "orders_swept_total")
