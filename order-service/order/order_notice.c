/* From a change to the rows that tell of it: which topics, which envelope. */
#include "order-service/order/order_notice.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/events/event.h"
#include "order-service/service.h"
#include "order-service/workflow/order_news.h"
#include "order-service/workflow/workflow_sink.h"

#include <string.h>

#define LIVE_CHANNEL "order:pub:orders"
#define VIEW_MARK    "\"\x01\"" /* no JSON that we write holds this */

struct order_notice order_notice_kafka(struct ctx *ctx, const struct order_telling *telling)
{
    struct event_draft draft = {
        .type = telling->type,
        .subject = "orderId",
        .subject_id = telling->order->id.text,
        .data = telling->data ? telling->data : VIEW_MARK,
        .seq = telling->seq,
        .at_ms = telling->at_ms,
        .actor = &ctx->caller,
    };
    struct order_notice notice = {.sink = "kafka", .topic = telling->topics, .after = ""};

    text_copy(draft.id, sizeof(draft.id), telling->event_id);
    char *envelope = arena_strdup(ctx->arena, event_envelope(ctx->arena, &draft));
    notice.before = envelope;
    if (!telling->data) {
        char *mark = strstr(envelope, VIEW_MARK);

        *mark = '\0';
        notice.after = mark + strlen(VIEW_MARK);
    }
    return notice;
}

struct order_notice order_notice_live(const char *view)
{
    return (struct order_notice){
        .sink = "live", .topic = LIVE_CHANNEL, .before = view, .after = ""};
}

/* The signal that a command is to the workflow. Not told: "begun", which it has nothing to do
 * about. Told also is what it does itself: a deadline may be the sweep's work, and the row starts
 * the workflow of an order whose own was lost, for there may be money to give back. */
static const char *const signals[] = {
    [COMMAND_ACCEPT] = "accepted",
    [COMMAND_DECLINE] = "cancelled",
    [COMMAND_PREPARE] = NULL,
    [COMMAND_READY] = "ready",
    [COMMAND_UNDO_READY] = "ready_undone",
    [COMMAND_PICK_UP] = "completed",
    [COMMAND_CANCEL] = "cancelled",
    [COMMAND_EXPIRE_ACCEPT] = "cancelled",
    [COMMAND_EXPIRE_COLLECT] = "cancelled",
    [COMMAND_STOP] = "cancelled",
    [COMMAND_FIND_UNPAID] = NULL, /* its workflow found it */
};

static struct order_news news_of(struct service *service, const struct order *order)
{
    struct order_news news = {
        .pays = order->pays,
        .keeps_uncollected = !service_config(service)->refunds_uncollected,
    };

    order_news_of(order, &news);
    return news;
}

struct order_notice order_notice_workflow(struct ctx *ctx, struct service *service,
                                          const struct order *placed, int64_t accept_within_ms)
{
    struct order_news news = news_of(service, placed);

    return (struct order_notice){
        .sink = service_has_workflows(service) ? WORKFLOW_SINK : NULL,
        .topic = WORKFLOW_PLACED,
        .before = order_news_before_view(ctx->arena, &news, accept_within_ms),
        .after = ORDER_NEWS_AFTER_VIEW,
    };
}

static void append(struct order_moving *moving, struct order_notice notice)
{
    moving->notices[moving->notice_count++] = notice;
}

/* "order.prepared" says how long a drink took, for statistics; "order.ready" is for people. */
static void tell_prepared(struct ctx *ctx, struct order_moving *moving, const struct order *after)
{
    int64_t from = after->preparing_ms ? after->preparing_ms : after->accepted_ms;
    char id[ID_TEXT_SIZE];

    uuid_v7(id);
    append(moving,
           order_notice_kafka(
               ctx, &(struct order_telling){
                        .event_id = id,
                        .type = "DrinkPrepared",
                        .topics = "order.prepared",
                        .data = arena_printf(ctx->arena,
                                             "{\"seconds\":%lld,\"baristaId\":\"%s\",\"items\":%s}",
                                             (long long)(after->ready_ms - from) / 1000,
                                             after->barista_id, after->lines),
                        .seq = after->seq,
                        .at_ms = after->now_ms,
                        .order = after,
                    }));
}

void order_tell_step(struct ctx *ctx, struct order_moving *moving, const struct order *after,
                     const struct transition *transition)
{
    struct order_step *step = &moving->steps[moving->step_count++];
    const char *topic = transition->topic;

    uuid_v7(step->event_id);
    step->seq = after->seq;
    step->type = transition->type;
    step->view = order_view(ctx->arena, after);
    append(moving, order_notice_kafka(
                       ctx, &(struct order_telling){
                                .event_id = step->event_id,
                                .type = step->type,
                                .topics = topic ? arena_printf(ctx->arena, "%s audit.events", topic)
                                                : "audit.events",
                                .data = step->view,
                                .seq = step->seq,
                                .at_ms = after->now_ms,
                                .order = after,
                            }));
    append(moving, order_notice_live(step->view));
    if (transition->to == ORDER_READY) {
        tell_prepared(ctx, moving, after);
    }
}

void order_tell_workflow(struct ctx *ctx, struct service *service, struct order_moving *moving,
                         const struct order *after)
{
    const char *signal = signals[after->last_command];
    struct order_news news = news_of(service, after);

    if (signal && service_has_workflows(service)) {
        append(moving, (struct order_notice){.sink = WORKFLOW_SINK,
                                             .topic = signal,
                                             .before = order_news_json(ctx->arena, &news),
                                             .after = ""});
    }
}
