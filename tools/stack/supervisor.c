/* Keeps the processes of a state folder running: supervisor STATE_DIR
 *
 * Each sub-folder with an executable file `run` is a process. Its file `want` says "up" or
 * "down", `stop` says "SIGNAL GRACE_SECONDS". SIGHUP reads all of that again. What runs is
 * written to `pid` ("PID START_TICKS") and `state`, so that a supervisor started after the
 * death of another adopts what still runs. It sleeps in poll(2) until something happens. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_PROCESSES = 32,
    FIRST_DELAY_MS = 200,
    LONGEST_DELAY_MS = 10000,
    HEALTHY_AFTER_MS = 60000,
    LOG_LIMIT_BYTES = 16 * 1024 * 1024,
};

struct process {
    char name[64];
    bool wanted;
    pid_t pid; /* 0: not running */
    int pidfd; /* poll(2) says when it ends, whoever its parent is; -1: not running */
    unsigned long long start_ticks; /* with the pid, tells it from a later user of the number */
    long long started_ms, delay_ms, next_start_ms, kill_ms;
    bool stopping;
    long restarts;
    long since; /* wall clock of the last change */
    char last_exit[32];
    int stop_signal;
    long stop_grace_s;
};

static struct process processes[MAX_PROCESSES];
static int process_count;

static const struct {
    const char *name;
    int number;
} signal_names[] = {
    {"TERM", SIGTERM},
    {"INT",  SIGINT },
    {"QUIT", SIGQUIT},
    {"KILL", SIGKILL},
    {NULL,   0      },
};

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The start time of a live process; 0 when there is none (a zombie counts as none). */
static unsigned long long start_ticks_of(pid_t pid)
{
    char path[64], line[1024];
    unsigned long long ticks = 0;
    char state = 'Z';

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file) {
        return 0;
    }
    if (fgets(line, sizeof(line), file) && strrchr(line, ')')) {
        /* the name may hold spaces and brackets: count the fields behind the last one */
        sscanf(strrchr(line, ')') + 1,
               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
               &state, &ticks);
    }
    fclose(file);
    return state == 'Z' || state == 'X' ? 0 : ticks;
}

static void read_line(const char *name, const char *file, char *line, size_t size)
{
    char path[128];

    line[0] = '\0';
    snprintf(path, sizeof(path), "%s/%s", name, file);
    FILE *in = fopen(path, "re");
    if (in) {
        if (fgets(line, (int)size, in)) {
            line[strcspn(line, "\n")] = '\0';
        }
        fclose(in);
    }
}

/* Written aside and renamed, so that a reader never sees half a line. */
static void write_line(const char *name, const char *file, const char *line)
{
    char path[128], aside[136];

    snprintf(path, sizeof(path), "%s/%s", name, file);
    snprintf(aside, sizeof(aside), "%s.new", path);
    FILE *out = fopen(aside, "we");
    if (!out) {
        return;
    }
    fprintf(out, "%s\n", line);
    if (fclose(out) == 0) {
        rename(aside, path);
    }
}

static const char *state_of(const struct process *p)
{
    if (p->pid) {
        return p->stopping ? "stopping" : "up";
    }
    return p->wanted ? "waiting" : "down";
}

/* state: STATE PID START_TICKS RESTARTS LAST_EXIT SINCE_EPOCH */
static void publish(struct process *p)
{
    char line[160];

    snprintf(line, sizeof(line), "%s %d %llu %ld %s %ld", state_of(p), (int)p->pid, p->start_ticks,
             p->restarts, p->last_exit, p->since);
    write_line(p->name, "state", line);
    if (p->pid) {
        snprintf(line, sizeof(line), "%d %llu", (int)p->pid, p->start_ticks);
        write_line(p->name, "pid", line);
    } else {
        char path[80];
        snprintf(path, sizeof(path), "%s/pid", p->name);
        unlink(path);
    }
}

static void changed(struct process *p)
{
    p->since = time(NULL);
    publish(p);
}

static void become(const char *name)
{
    sigset_t none;
    struct stat log;
    int null = open("/dev/null", O_RDONLY);

    setsid();
    if (chdir(name) < 0 || null < 0) {
        _exit(126);
    }
    if (stat("log", &log) == 0 && log.st_size > LOG_LIMIT_BYTES) {
        rename("log", "log.1");
    }
    int out = open("log", O_WRONLY | O_CREAT | O_APPEND, 0640);
    if (out < 0) {
        _exit(126);
    }
    dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
    close(null);
    close(out);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execl("./run", "./run", (char *)NULL);
    _exit(127);
}

static void watch(struct process *p, pid_t pid)
{
    p->pid = pid;
    p->start_ticks = start_ticks_of(pid);
    p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (p->pidfd >= 0) {
        fcntl(p->pidfd, F_SETFD, FD_CLOEXEC);
    }
    p->started_ms = now_ms();
    p->stopping = false;
}

static void start(struct process *p)
{
    pid_t pid = fork();
    if (pid == 0) {
        become(p->name);
    }
    if (pid < 0) {
        p->next_start_ms = now_ms() + LONGEST_DELAY_MS;
        return;
    }
    watch(p, pid);
    changed(p);
}

static void stop(struct process *p)
{
    p->stopping = true;
    p->kill_ms = now_ms() + p->stop_grace_s * 1000;
    syscall(SYS_pidfd_send_signal, p->pidfd, p->stop_signal, NULL, 0);
    changed(p);
}

static void ended(struct process *p)
{
    siginfo_t info = {0};
    long long lived_ms = now_ms() - p->started_ms;

    if (waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid) {
        snprintf(p->last_exit, sizeof(p->last_exit), "%s:%d",
                 info.si_code == CLD_EXITED ? "exit" : "signal", info.si_status);
    } else {
        snprintf(p->last_exit, sizeof(p->last_exit), "unknown"); /* adopted: not our child */
    }
    close(p->pidfd);
    p->pid = 0;
    p->pidfd = -1;
    p->start_ticks = 0;
    p->delay_ms =
        lived_ms >= HEALTHY_AFTER_MS || p->delay_ms == 0 ? FIRST_DELAY_MS : p->delay_ms * 2;
    if (p->delay_ms > LONGEST_DELAY_MS) {
        p->delay_ms = LONGEST_DELAY_MS;
    }
    p->next_start_ms = now_ms() + (p->stopping ? 0 : p->delay_ms);
    p->restarts += p->wanted && !p->stopping;
    p->stopping = false;
    changed(p);
}

static void adopt(struct process *p)
{
    char line[64], state[160], was[16] = "";
    int pid = 0;
    unsigned long long ticks = 0;

    read_line(p->name, "state", state, sizeof(state));
    sscanf(state, "%15s %*s %*s %ld %31s %ld", was, &p->restarts, p->last_exit, &p->since);
    p->wanted = strcmp(was, "up") == 0 || strcmp(was, "waiting") == 0;
    read_line(p->name, "pid", line, sizeof(line));
    if (sscanf(line, "%d %llu", &pid, &ticks) == 2 && ticks && start_ticks_of(pid) == ticks) {
        watch(p, pid);
    } else if (pid) {
        p->restarts++; /* it died while nobody looked */
        snprintf(p->last_exit, sizeof(p->last_exit), "unknown");
    }
}

static struct process *find_or_add(const char *name)
{
    for (int i = 0; i < process_count; i++) {
        if (strcmp(processes[i].name, name) == 0) {
            return &processes[i];
        }
    }
    if (process_count == MAX_PROCESSES || strlen(name) >= sizeof(processes[0].name)) {
        return NULL;
    }
    struct process *p = &processes[process_count++];
    *p = (struct process){.pidfd = -1, .last_exit = "-", .since = time(NULL)};
    snprintf(p->name, sizeof(p->name), "%s", name);
    adopt(p);
    return p;
}

static void read_wishes(struct process *p)
{
    char line[64], name[16] = "TERM";

    read_line(p->name, "want", line, sizeof(line));
    if (!p->wanted && strcmp(line, "up") == 0) {
        p->restarts = 0; /* counted since a hand started it */
    }
    p->wanted = strcmp(line, "up") == 0;
    p->delay_ms = 0; /* a hand asked: no punishment for earlier deaths */
    p->next_start_ms = 0;
    read_line(p->name, "stop", line, sizeof(line));
    p->stop_grace_s = 10;
    p->stop_signal = SIGTERM;
    sscanf(line, "%15s %ld", name, &p->stop_grace_s);
    for (int i = 0; signal_names[i].name; i++) {
        if (strcmp(name, signal_names[i].name) == 0) {
            p->stop_signal = signal_names[i].number;
        }
    }
    publish(p);
}

static void rescan(void)
{
    DIR *here = opendir(".");
    if (!here) {
        return;
    }
    for (struct dirent *entry = readdir(here); entry; entry = readdir(here)) {
        char path[300];
        snprintf(path, sizeof(path), "%s/run", entry->d_name);
        if (entry->d_name[0] != '.' && access(path, X_OK) == 0) {
            struct process *p = find_or_add(entry->d_name);
            if (p) {
                read_wishes(p);
            }
        }
    }
    closedir(here);
}

/* Does what is due for one process; returns when it wants to be looked at again. */
static long long tend(struct process *p, long long now)
{
    if (p->pid && !p->wanted && !p->stopping) {
        stop(p);
    }
    if (p->pid && p->stopping && now >= p->kill_ms) {
        syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
        p->kill_ms = now + 1000;
    }
    if (!p->pid && p->wanted && now >= p->next_start_ms) {
        start(p);
    }
    if (p->pid) {
        return p->stopping ? p->kill_ms : 0;
    }
    return p->wanted ? p->next_start_ms : 0;
}

static int next_timeout_ms(void)
{
    long long now = now_ms(), earliest = 0;

    for (int i = 0; i < process_count; i++) {
        long long due = tend(&processes[i], now);
        if (due && (!earliest || due < earliest)) {
            earliest = due;
        }
    }
    if (!earliest) {
        return -1;
    }
    return earliest > now ? (int)(earliest - now) : 0;
}

/* The supervisor's own signals: HUP reads the wishes, TERM leaves (what runs keeps running). */
static bool told_to_leave(int signals)
{
    struct signalfd_siginfo got;

    if (read(signals, &got, sizeof(got)) != sizeof(got)) {
        return false;
    }
    if (got.ssi_signo == SIGHUP) {
        rescan();
    }
    return got.ssi_signo == SIGTERM;
}

static void supervise(int signals)
{
    for (;;) {
        struct pollfd watched[MAX_PROCESSES + 1] = {
            {.fd = signals, .events = POLLIN}
        };
        int timeout = next_timeout_ms();

        for (int i = 0; i < process_count; i++) {
            watched[i + 1] = (struct pollfd){.fd = processes[i].pidfd, .events = POLLIN};
        }
        int count = process_count; /* a rescan may add more: they wait for the next round */
        if (poll(watched, (nfds_t)count + 1, timeout) < 0 && errno != EINTR) {
            return;
        }
        for (int i = 0; i < count; i++) {
            if (watched[i + 1].revents && processes[i].pidfd >= 0) {
                ended(&processes[i]);
            }
        }
        if (watched[0].revents && told_to_leave(signals)) {
            return;
        }
    }
}

int main(int argc, char **argv)
{
    sigset_t mine;
    char line[64];

    if (argc != 2 || chdir(argv[1]) < 0) {
        fprintf(stderr, "usage: supervisor STATE_DIR\n");
        return 2;
    }
    sigemptyset(&mine);
    sigaddset(&mine, SIGHUP);
    sigaddset(&mine, SIGTERM);
    sigprocmask(SIG_BLOCK, &mine, NULL);
    int signals = signalfd(-1, &mine, SFD_CLOEXEC);
    int probe = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (signals < 0 || probe < 0) {
        perror("supervisor: this kernel has no signalfd or pidfd (Linux 5.3 has)");
        return 1;
    }
    close(probe);
    setsid();
    snprintf(line, sizeof(line), "%d %llu", (int)getpid(), start_ticks_of(getpid()));
    write_line(".", "supervisor.pid", line);
    rescan();
    supervise(signals);
    unlink("supervisor.pid");
    return 0;
}
