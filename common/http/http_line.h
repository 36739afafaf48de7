/* For this folder: calls that any thread posts and one thread takes, which sleeps meanwhile. */
#ifndef COMMON_HTTP_HTTP_LINE_H
#define COMMON_HTTP_HTTP_LINE_H

#include "common/http/http_multi.h"

#include <pthread.h>
#include <stdbool.h>

struct http_line {
    pthread_mutex_t lock;
    struct http_multi_call *first, **last;
    bool begun, asleep;
};

/* What the caller of http_line_add() has to do now. */
enum http_line_duty { HTTP_LINE_NOTHING, HTTP_LINE_WAKE, HTTP_LINE_START };

void http_line_init(struct http_line *line);
void http_line_destroy(struct http_line *line);
/* Once in a line's life the thread is to be started; later it is to be woken, where it sleeps. */
enum http_line_duty http_line_add(struct http_line *line, struct http_multi_call *call);
/* Those that came before it wait behind it. */
void http_line_put_back(struct http_line *line, struct http_multi_call *call);
struct http_multi_call *http_line_take(struct http_line *line); /* NULL: nobody waits */
/* Of the thread: a call that comes from now on wakes it. False: there is one already. */
bool http_line_may_sleep(struct http_line *line);
/* Ends all that wait, with code 0. What is posted meanwhile, also by their done(), waits anew. */
void http_line_end_all(struct http_line *line, const struct http_multi_answer *answer);
/* Those that have waited since then, or longer. */
void http_line_end_old(struct http_line *line, int64_t since_ms,
                       const struct http_multi_answer *answer);

#endif
