/* A process, a socket and a deadline. */
#include "order-service/menu/menu_photo_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SHORTEST_JPEG = 100,
    ROOM = sizeof(struct image_answer) + IMAGE_MAX_ANSWER + 1, /* with one more it says too much */
    TELLING_MS = 5000, /* of the deadline: not the worker's, but left for saying how it went */
};

static const char *beside_us(struct ctx *ctx)
{
    char us[4096];
    ssize_t length = readlink("/proc/self/exe", us, sizeof(us) - 1);

    us[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(us, '/');

    return arena_printf(ctx->arena, "%.*s/photo-worker", (int)(slash ? slash - us : 0), us);
}

/* The socket as its input, and nothing else of ours: no descriptor, no environment, no signal that
 * we hold back. */
static int spawn(const char *program, int fd, pid_t *pid)
{
    char *const words[] = {(char[]){"photo-worker"}, NULL}, *const nothing[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none;

    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_init(&how);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    int failed = posix_spawn(pid, program, &files, &how, words, nothing);

    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

enum status photo_worker_start(struct ctx *ctx, const char *program, struct photo_worker *worker)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return fail_with(ctx, ST_UNAVAILABLE, "", "socketpair: %s", strerror(errno));
    }
    const char *path = *program ? program : beside_us(ctx);
    int failed = spawn(path, ends[1], &worker->pid);

    close(ends[1]);
    if (failed) {
        close(ends[0]);
        worker->pid = 0;
        return fail_with(ctx, ST_UNAVAILABLE, "", "%s: %s", path, strerror(failed));
    }
    worker->fd = ends[0];
    return ST_OK;
}

static enum status await(struct ctx *ctx, const struct photo_worker *worker, short events)
{
    struct pollfd fd = {.fd = worker->fd, .events = events};
    int64_t left_ms = ctx_left_ms(ctx) - TELLING_MS;

    if (left_ms <= 0 || poll(&fd, 1, left_ms > PHOTO_JOB_MS ? PHOTO_JOB_MS : (int)left_ms) == 0) {
        return fail_with(ctx, ST_TIMEOUT, "", "photo-worker %d is slow", (int)worker->pid);
    }
    return ST_OK;
}

enum status photo_worker_send(struct ctx *ctx, struct photo_worker *worker,
                              const struct photo_image *piece)
{
    for (size_t done = 0; done < piece->size;) {
        ssize_t sent =
            send(worker->fd, piece->bytes + done, piece->size - done, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent > 0) {
            done += (size_t)sent;
        } else if (errno == EAGAIN || errno == EINTR) {
            TRY(await(ctx, worker, POLLOUT));
        } else {
            return ST_OK;
        }
    }
    return ST_OK;
}

static enum status receive(struct ctx *ctx, struct photo_worker *worker, uint8_t *bytes,
                           size_t *size)
{
    for (*size = 0; *size < ROOM;) {
        ssize_t got = recv(worker->fd, bytes + *size, ROOM - *size, MSG_DONTWAIT);

        if (got > 0) {
            *size += (size_t)got;
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            TRY(await(ctx, worker, POLLIN));
        } else {
            return ST_OK; /* its end */
        }
    }
    return fail_with(ctx, ST_INTERNAL, "", "photo-worker %d says too much", (int)worker->pid);
}

/* It has closed its end, which it cannot but by ending, or was killed. */
static int reap(struct photo_worker *worker)
{
    int status = 0;

    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    worker->pid = 0;
    close(worker->fd);
    return status;
}

void photo_worker_end(struct photo_worker *worker)
{
    if (worker->pid) {
        kill(worker->pid, SIGKILL);
        (void)reap(worker);
    }
}

static bool read_sizes(const struct image_answer *head, const uint8_t *rest, size_t left,
                       struct photo_sizes *sizes)
{
    for (int i = 0; i < IMAGE_SIZES; i++) {
        const struct image_made *made = &head->made[i];

        if (made->bytes > left || made->bytes < SHORTEST_JPEG || rest[0] != 0xff ||
            rest[1] != 0xd8) {
            return false;
        }
        sizes->sizes[i] = (struct photo_image){rest, made->bytes};
        rest += made->bytes;
        left -= made->bytes;
    }
    return left == 0;
}

/* Who was ended from outside (the kernel was short of memory) may be tried again; who ran into its
 * own limits, or crashed, would do so again. */
static enum status no_answer(struct ctx *ctx, int status, struct photo_sizes *sizes)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGTERM) {
        sizes->fault = IMAGE_COSTLY;
        return ST_OK;
    }
    return fail_with(ctx, ST_UNAVAILABLE, "", "photo-worker gave no answer: exit %d, signal %d",
                     WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                     WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

enum status photo_worker_answer(struct ctx *ctx, struct photo_worker *worker,
                                struct photo_sizes *sizes)
{
    uint8_t *bytes = arena_alloc(ctx->arena, ROOM);
    struct image_answer head;
    size_t size;

    *sizes = (struct photo_sizes){.fault = IMAGE_NONE};
    shutdown(worker->fd, SHUT_WR);
    TRY(receive(ctx, worker, bytes, &size));
    int status = reap(worker);

    if (size < sizeof(head) || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return no_answer(ctx, status, sizes);
    }
    memcpy(&head, bytes, sizeof(head));
    if (head.mark != IMAGE_ANSWER_MARK || head.fault >= IMAGE_FAULT_COUNT) {
        return fail_with(ctx, ST_INTERNAL, "", "photo-worker is of another build");
    }
    sizes->fault = (enum image_fault)head.fault;
    if (sizes->fault == IMAGE_NONE &&
        !read_sizes(&head, bytes + sizeof(head), size - sizeof(head), sizes)) {
        return fail_with(ctx, ST_INTERNAL, "", "photo-worker's answer is no three sizes");
    }
    return ST_OK;
}
