/* A list under a lock, and the promise that who sleeps is woken, once. */
#include "common/http/http_line.h"

#include "common/base/clock.h"

#include <stddef.h>

void http_line_init(struct http_line *line)
{
    *line = (struct http_line){.last = &line->first};
    pthread_mutex_init(&line->lock, NULL);
}

void http_line_destroy(struct http_line *line)
{
    pthread_mutex_destroy(&line->lock);
}

enum http_line_duty http_line_add(struct http_line *line, struct http_multi_call *call)
{
    call->next = NULL;
    call->posted_ms = clock_monotonic_ms();
    pthread_mutex_lock(&line->lock);
    enum http_line_duty duty = !line->begun   ? HTTP_LINE_START
                               : line->asleep ? HTTP_LINE_WAKE
                                              : HTTP_LINE_NOTHING;
    line->begun = true;
    line->asleep = false;
    *line->last = call;
    line->last = &call->next;
    pthread_mutex_unlock(&line->lock);
    return duty;
}

void http_line_put_back(struct http_line *line, struct http_multi_call *call)
{
    pthread_mutex_lock(&line->lock);
    call->next = line->first;
    line->first = call;
    line->last = call->next ? line->last : &call->next;
    pthread_mutex_unlock(&line->lock);
}

struct http_multi_call *http_line_take(struct http_line *line)
{
    pthread_mutex_lock(&line->lock);
    line->asleep = false;
    struct http_multi_call *call = line->first;
    if (call) {
        line->first = call->next;
        line->last = line->first ? line->last : &line->first;
    }
    pthread_mutex_unlock(&line->lock);
    return call;
}

bool http_line_may_sleep(struct http_line *line)
{
    pthread_mutex_lock(&line->lock);
    bool may = !line->first;
    line->asleep = may;
    pthread_mutex_unlock(&line->lock);
    return may;
}

void http_line_end_all(struct http_line *line, const struct http_multi_answer *answer)
{
    http_line_end_old(line, INT64_MAX, answer);
}

void http_line_end_old(struct http_line *line, int64_t since_ms,
                       const struct http_multi_answer *answer)
{
    struct http_multi_call *old = NULL, **end = &old;

    pthread_mutex_lock(&line->lock);
    while (line->first && line->first->posted_ms <= since_ms) {
        *end = line->first;
        end = &line->first->next;
        line->first = line->first->next;
    }
    *end = NULL;
    line->last = line->first ? line->last : &line->first;
    pthread_mutex_unlock(&line->lock);
    while (old) {
        struct http_multi_call *next = old->next; /* whoever is told may post it again */
        old->done(old, answer);
        old = next;
    }
}
