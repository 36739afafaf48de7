/* Many pushes sent at once, and their answers waited for: what APNs and Web Push have in common. */
#ifndef CUSTOMER_SERVICE_NOTIFY_PUSH_BATCH_H
#define CUSTOMER_SERVICE_NOTIFY_PUSH_BATCH_H

#include "common/base/ctx.h"
#include "common/http/http_multi.h"
#include "customer-service/notify/push.h"

struct push_batch; /* in ctx's arena, which is the batch's alone until push_batch_send() returns */

/* Says what an answer means, in push->verdict and push->reason; one at a time. */
typedef void push_judge(struct ctx *ctx, void *service, struct push *push,
                        const struct http_multi_answer *answer);

/* Hands the call of a push to whom it concerns: http2_post() or http_multi_post(). */
typedef void push_post(void *service, const struct push *push, struct http_multi_call *call);

struct push_batch *push_batch_new(struct ctx *ctx, size_t most, push_judge *judge, void *service);
/* The call of this push, to be filled in. */
struct http_multi_call *push_batch_add(struct push_batch *batch, struct push *push);
/* Posts what was added, and waits for the last answer. */
void push_batch_send(struct push_batch *batch, push_post *post);

#endif
