/* Answers come on the thread of whom the calls were posted to, one after the other; the sender
 * waits for all. */
#include "customer-service/notify/push_batch.h"

#include <pthread.h>

struct request {
    struct http_multi_call call;
    struct push_batch *batch;
    struct push *push;
};

struct push_batch {
    struct ctx *ctx;
    push_judge *judge;
    void *service;
    struct request *requests;
    size_t count;
    pthread_mutex_t lock; /* guards 'open', and the arena while answers come */
    pthread_cond_t all_done;
    size_t open;
};

struct push_batch *push_batch_new(struct ctx *ctx, size_t most, push_judge *judge, void *service)
{
    struct push_batch *batch = arena_alloc(ctx->arena, sizeof(*batch));

    *batch = (struct push_batch){
        .ctx = ctx,
        .judge = judge,
        .service = service,
        .requests = arena_new_array(ctx->arena, struct request, most),
    };
    return batch;
}

static void on_answer(struct http_multi_call *call, const struct http_multi_answer *answer)
{
    struct request *request = call->user;
    struct push_batch *batch = request->batch;

    pthread_mutex_lock(&batch->lock);
    batch->judge(batch->ctx, batch->service, request->push, answer);
    batch->open--;
    if (!batch->open) {
        pthread_cond_signal(&batch->all_done);
    }
    pthread_mutex_unlock(&batch->lock);
}

struct http_multi_call *push_batch_add(struct push_batch *batch, struct push *push)
{
    struct request *request = &batch->requests[batch->count++];

    request->batch = batch;
    request->push = push;
    request->call.done = on_answer;
    request->call.user = request;
    return &request->call;
}

void push_batch_send(struct push_batch *batch, push_post *post)
{
    pthread_mutex_init(&batch->lock, NULL);
    pthread_cond_init(&batch->all_done, NULL);
    batch->open = batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        post(batch->service, batch->requests[i].push, &batch->requests[i].call);
    }
    pthread_mutex_lock(&batch->lock);
    while (batch->open) {
        pthread_cond_wait(&batch->all_done, &batch->lock);
    }
    pthread_mutex_unlock(&batch->lock);
    pthread_cond_destroy(&batch->all_done);
    pthread_mutex_destroy(&batch->lock);
}
