"""The order's workflow on the official Python SDK, as order_worker.c has it on ours. Options are the
SDK's own: sticky cache on, eager activities on, workflows in their sandbox.

    order_worker.py TARGET TASK_QUEUE"""
import asyncio
import signal
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

PUSH = {"start_to_close_timeout": timedelta(seconds=5), "retry_policy": RetryPolicy(maximum_attempts=5)}


@activity.defn(name="NotifyBarista")
async def notify_barista(order: dict) -> dict:
    return order


@activity.defn(name="CapturePayment")
async def capture_payment(order: dict) -> dict:
    return order


@activity.defn(name="NotifyCustomer")
async def notify_customer(order: dict) -> dict:
    return order


@workflow.defn(name="Order")
class Order:
    def __init__(self):
        self.seen = set()

    @workflow.signal
    def accepted(self, _: dict):
        self.seen.add("accepted")

    @workflow.signal
    def ready(self, _: dict):
        self.seen.add("ready")

    @workflow.signal
    def picked_up(self, _: dict):
        self.seen.add("picked_up")

    @workflow.run
    async def run(self, order: dict) -> dict:
        await workflow.execute_activity("NotifyBarista", order, **PUSH)
        await workflow.wait_condition(lambda: "accepted" in self.seen, timeout=timedelta(minutes=5))
        result = await workflow.execute_activity("CapturePayment", order, **PUSH)
        await workflow.wait_condition(lambda: "ready" in self.seen)
        await workflow.execute_activity("NotifyCustomer", order, **PUSH)
        await workflow.wait_condition(lambda: "picked_up" in self.seen, timeout=timedelta(minutes=30))
        return result


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(sys.argv[1])
    activities = [notify_barista, capture_payment, notify_customer]
    async with Worker(client, task_queue=sys.argv[2], workflows=[Order], activities=activities):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
