/* A client that is told 413 while it still sends: closing at once would make the kernel send a
 * reset, and many clients then never see the answer. So a copy of the descriptor stays open for a
 * moment and what comes is dropped. */
#include "common/base/clock.h"
#include "common/http/http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_LINGERING = 64, READS_A_TURN = 16 };

struct farewell {
    struct watch watch;
    struct http_server *server;
    int64_t until_ms;
    bool over;
};

static void end(struct farewell *farewell)
{
    if (!farewell->over) {
        farewell->over = true;
        loop_forget(farewell->server->loop, &farewell->watch);
    }
}

static void drop_what_comes(struct watch *watch, uint32_t events)
{
    struct farewell *farewell = (struct farewell *)watch;
    char dropped[16 * 1024];

    (void)events;
    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t count = recv(watch->fd, dropped, sizeof(dropped), MSG_DONTWAIT);

        if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (count <= 0) {
            end(farewell);
            return;
        }
    }
}

static void give_up_in_time(struct watch *watch, int64_t now_ms)
{
    struct farewell *farewell = (struct farewell *)watch;

    if (now_ms >= farewell->until_ms) {
        end(farewell);
    }
}

static void free_farewell(struct watch *watch)
{
    atomic_fetch_sub(&((struct farewell *)watch)->server->lingering, 1);
    close(watch->fd);
    free(watch);
}

void http_linger(struct http_server *server, int fd)
{
    if (atomic_fetch_add(&server->lingering, 1) >= MAX_LINGERING) {
        atomic_fetch_sub(&server->lingering, 1);
        return;
    }
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (copy < 0) {
        atomic_fetch_sub(&server->lingering, 1);
        return;
    }
    shutdown(copy, SHUT_WR); /* all was said */
    struct farewell *farewell = http_must(calloc(1, sizeof(*farewell)));

    farewell->server = server;
    farewell->until_ms = clock_monotonic_ms() + HTTP_LINGER_MS;
    farewell->watch = (struct watch){
        .fd = copy, .ready = drop_what_comes, .tick = give_up_in_time, .free = free_farewell};
    loop_watch(server->loop, &farewell->watch, EPOLLIN | EPOLLRDHUP);
}
