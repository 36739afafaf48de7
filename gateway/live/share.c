/* How many streams one person may have: connections are bounded for all together, and a few
 * accounts must not take them all. Who opens one more loses the oldest, since that may be a
 * connection which has been dead for long, and a screen that lost its network must get in again. */
#include "gateway/live/hub.h"

#include <string.h>

static bool is_hers(const struct live_session *session, const char *subject)
{
    return !session->gave_way && strcmp(session->subject, subject) == 0;
}

/* Both lists have the newest first: the last one found is the oldest. */
void live_share(struct live *live, const char *subject)
{
    struct live_listener *listener = NULL;
    struct live_socket *socket = NULL;
    int count = 0;

    for (struct live_listener *l = live->listeners; l; l = l->next) {
        if (is_hers(&l->session, subject)) {
            listener = l;
            count++;
        }
    }
    for (struct live_socket *s = live->sockets; s; s = s->next) {
        if (is_hers(&s->session, subject)) {
            socket = s;
            count++;
        }
    }
    if (count <= live->options.max_per_person) {
        return;
    }
    if (!socket || (listener && listener->session.since_ms < socket->session.since_ms)) {
        listener_give_way(listener);
    } else {
        socket_give_way(socket);
    }
}
