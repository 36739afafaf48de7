/* From a change of an account to the row that tells of it. */
#include "customer-service/auth/security_event.h"

#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "common/events/event.h"
#include "common/outbox/outbox.h"

enum status security_event(struct ctx *ctx, struct db_conn *tx, const char *type,
                           struct customer_id id, const char *data)
{
    struct event_draft draft = {
        .type = type,
        .subject = "customerId",
        .subject_id = id.text,
        .data = data,
        .at_ms = clock_wall_ms(),
        .actor = &ctx->caller,
    };

    uuid_v7(draft.id);
    return outbox_add(ctx, tx,
                      &(struct outbox_row){
                          .sink = "kafka",
                          .topic = "security.events audit.events",
                          .key = arena_strdup(ctx->arena, id.text),
                          .payload = event_envelope(ctx->arena, &draft),
                      });
}
