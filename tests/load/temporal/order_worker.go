// The order's workflow on the official Go SDK, as order_worker.c has it on ours. Options are the
// SDK's own: sticky cache on, eager activities on, two pollers of each kind.
//
//	order_worker TARGET TASK_QUEUE
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

var errTooLate = errors.New("too late")

// With a limit of 0 it waits for ever.
func await(ctx workflow.Context, name string, limit time.Duration) error {
	channel := workflow.GetSignalChannel(ctx, name)
	if limit == 0 {
		channel.Receive(ctx, nil)
		return nil
	}
	late := false
	inner, cancel := workflow.WithCancel(ctx)
	workflow.NewSelector(ctx).
		AddReceive(channel, func(from workflow.ReceiveChannel, _ bool) { from.Receive(ctx, nil) }).
		AddFuture(workflow.NewTimer(inner, limit), func(workflow.Future) { late = true }).
		Select(ctx)
	cancel()
	if late {
		return errTooLate
	}
	return nil
}

func order(ctx workflow.Context, input map[string]any) (result map[string]any, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 5},
	})
	if err = workflow.ExecuteActivity(ctx, "NotifyBarista", input).Get(ctx, nil); err != nil {
		return
	}
	if err = await(ctx, "accepted", 5*time.Minute); err != nil {
		return
	}
	if err = workflow.ExecuteActivity(ctx, "CapturePayment", input).Get(ctx, &result); err != nil {
		return
	}
	if err = await(ctx, "ready", 0); err != nil {
		return
	}
	if err = workflow.ExecuteActivity(ctx, "NotifyCustomer", input).Get(ctx, nil); err != nil {
		return
	}
	return result, await(ctx, "picked_up", 30*time.Minute)
}

func echo(_ context.Context, input map[string]any) (map[string]any, error) { return input, nil }

func main() {
	to, err := client.Dial(client.Options{HostPort: os.Args[1]})
	if err != nil {
		log.Fatal(err)
	}
	orders := worker.New(to, os.Args[2], worker.Options{})
	orders.RegisterWorkflowWithOptions(order, workflow.RegisterOptions{Name: "Order"})
	for _, name := range []string{"NotifyBarista", "CapturePayment", "NotifyCustomer"} {
		orders.RegisterActivityWithOptions(echo, activity.RegisterOptions{Name: name})
	}
	if err := orders.Run(worker.InterruptCh()); err != nil {
		log.Fatal(err)
	}
}
