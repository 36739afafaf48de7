/* A session that is ended takes its streams along: its token would keep them open for minutes. The
 * deny list is asked about each stream's session now and then; the answer comes on a thread of the
 * errands, and may come after the stream is gone. */
#include "gateway/live/hub.h"

#include "common/base/clock.h"
#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

/* Asked for a session, not for a stream: nobody has to wait for it. */
struct question {
    struct deny_wait wait; /* first */
    struct live *live;
    char session[ID_TEXT_SIZE];
};

/* Under the lock. */
static void revoke(struct live *live, const char *session)
{
    for (struct live_listener *l = live->listeners; l; l = l->next) {
        l->session.is_over = l->session.is_over || strcmp(l->session.id, session) == 0;
    }
    for (struct live_socket *s = live->sockets; s; s = s->next) {
        s->session.is_over = s->session.is_over || strcmp(s->session.id, session) == 0;
    }
}

static void told(struct deny_wait *wait, bool denied)
{
    struct question *question = (struct question *)wait;
    struct live *live = question->live;

    pthread_mutex_lock(&live->lock);
    if (denied) {
        revoke(live, question->session);
    }
    live->under_way--;
    pthread_cond_broadcast(&live->wake);
    pthread_mutex_unlock(&live->lock);
    free(question);
}

void live_session_init(struct live_session *session, const struct caller *caller, int every_ms)
{
    text_copy(session->subject, sizeof(session->subject), caller->subject);
    text_copy(session->id, sizeof(session->id), caller->session);
    session->since_ms = clock_monotonic_ms();
    session->every_ms = every_ms;
}

void live_session_look(struct live *live, struct live_session *session, int64_t monotonic_ms)
{
    struct question *question;
    bool denied = false;

    if (session->is_over || !*session->id || monotonic_ms < session->look_ms) {
        return;
    }
    session->look_ms = monotonic_ms + session->every_ms;
    question = calloc(1, sizeof(*question));
    if (!question) {
        abort();
    }
    question->wait.told = told;
    question->live = live;
    text_copy(question->session, sizeof(question->session), session->id);
    live->under_way++;
    if (deny_list_check(live->options.deny_list, session->id, &question->wait, &denied)) {
        session->is_over = denied;
        live->under_way--;
        free(question);
    }
}
