/* What the kernel knows about this process, under the names that Prometheus' own client libraries
 * use, so that ready-made dashboards fit. */
#include "common/obs/metrics_registry.h"

#include "common/base/auto.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

DEFINE_AUTO(file, FILE *, fclose)
DEFINE_AUTO(dir, DIR *, closedir)

static double clock_seconds(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double resident_bytes(void)
{
    AUTO(file) FILE *file = fopen("/proc/self/statm", "re");
    long pages = 0;

    if (!file || fscanf(file, "%*s %ld", &pages) != 1) {
        return 0;
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_files(void)
{
    AUTO(dir) DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    while (dir && readdir(dir)) {
        count++;
    }
    return count > 3 ? count - 3 : 0; /* without ".", ".." and the one that looks */
}

static double cpu_seconds(void)
{
    return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

/* Field 22 of stat: ticks after boot. The second field may hold spaces: go on after its ')'. */
static double start_seconds(void)
{
    AUTO(file) FILE *file = fopen("/proc/self/stat", "re");
    char line[1024] = "";
    unsigned long long ticks = 0;

    if (!file || !fgets(line, sizeof(line), file)) {
        return 0;
    }
    const char *rest = strrchr(line, ')');
    if (!rest || sscanf(rest,
                        ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                        "%*s %*s %*s %llu",
                        &ticks) != 1) {
        return 0;
    }
    double boot = clock_seconds(CLOCK_REALTIME) - clock_seconds(CLOCK_BOOTTIME);
    return boot + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static const struct {
    const char *family, *suffix, *type, *help;
    double (*read)(void);
    int decimals;
} process_metrics[] = {
    {"process_resident_memory_bytes", "",       "gauge",   "Resident memory.", resident_bytes, 0},
    {"process_open_fds",              "",       "gauge",   "Open files.",      open_files,     0},
    {"process_cpu_seconds",           "_total", "counter", "CPU time used.",   cpu_seconds,    6},
    {"process_start_time_seconds",    "",       "gauge",   "Since 1970.",      start_seconds,  1},
};

void metrics_print_process(struct text *out, bool openmetrics)
{
    for (size_t i = 0; i < ARRAY_LEN(process_metrics); i++) {
        const char *family = process_metrics[i].family, *suffix = process_metrics[i].suffix;
        const char *in_head = openmetrics ? "" : suffix;

        text_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", family, in_head,
                    process_metrics[i].help, family, in_head, process_metrics[i].type);
        text_printf(out, "%s%s %.*f\n", family, suffix, process_metrics[i].decimals,
                    process_metrics[i].read());
    }
}
