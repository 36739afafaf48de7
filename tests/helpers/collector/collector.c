/* Starting, ending and reading the collector. */
#include "tests/helpers/collector/collector.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "tests/helpers/free_port.h"
#include "tests/helpers/patience.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT SOURCE_DIR "/tests/fakes/collector/collector.sh"

static char *path_of(struct arena *arena, const struct collector *collector, const char *name)
{
    return arena_printf(arena, "%s/%s", collector->folder, name);
}

void collector_init(struct collector *collector)
{
    *collector = (struct collector){.port = free_port()};
    snprintf(collector->folder, sizeof(collector->folder), "/tmp/collector.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(collector->folder));
    snprintf(collector->endpoint, sizeof(collector->endpoint), "http://127.0.0.1:%d",
             collector->port);
}

static void become(const struct collector *collector, const char *file, bool is_silent)
{
    char port[16];

    snprintf(port, sizeof(port), "%d", collector->port);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(SCRIPT, SCRIPT, port, file, is_silent ? "--silent" : NULL, (char *)NULL);
    perror(SCRIPT);
    _exit(127);
}

void collector_start(struct collector *collector, bool is_silent)
{
    AUTO(arena) struct arena *arena = arena_new(256);
    const char *ready = path_of(arena, collector, "got.ready");
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    unlink(ready);
    collector->pid = fork();
    if (collector->pid == 0) {
        become(collector, path_of(arena, collector, "got"), is_silent);
    }
    while (access(ready, F_OK) != 0) {
        ck_assert_msg(waitpid(collector->pid, NULL, WNOHANG) == 0, "the collector has ended");
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(20);
    }
}

void collector_kill(struct collector *collector)
{
    if (collector->pid > 0) {
        kill(collector->pid, SIGKILL);
        waitpid(collector->pid, NULL, 0);
        collector->pid = 0;
    }
}

void collector_finish(struct collector *collector)
{
    AUTO(arena) struct arena *arena = arena_new(256);

    collector_kill(collector);
    unlink(path_of(arena, collector, "got"));
    unlink(path_of(arena, collector, "got.ready"));
    rmdir(collector->folder);
}

char *collector_got(struct arena *arena, const struct collector *collector)
{
    FILE *file = fopen(path_of(arena, collector, "got"), "re");
    struct text all = text_new(arena, 65536);
    char part[4096];
    size_t size;

    while (file && (size = fread(part, 1, sizeof(part), file)) > 0) {
        text_add_bytes(&all, part, size);
    }
    if (file) {
        fclose(file);
    }
    return all.data;
}

static int count_in(const char *all, const char *text)
{
    int count = 0;

    for (const char *at = all; (at = strstr(at, text)) != NULL; at += strlen(text)) {
        count++;
    }
    return count;
}

int collector_wait(const struct collector *collector, const char *text, int least)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    int count;

    for (;;) {
        AUTO(arena) struct arena *arena = arena_new(65536);

        count = count_in(collector_got(arena, collector), text);
        if (count >= least || clock_monotonic_ms() > until) {
            return count;
        }
        clock_pause_ms(50);
    }
}
