/* See confine.h. Limits first, then the filter of calls, which allows no more limits. */
#include "photo-worker/confine.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* sanitizers map terabytes and make calls of their own */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "which calls there are is known for amd64 and arm64"
#endif

#ifndef SANITIZED
/* Of what the head lets in, the dearest needs 64 MiB: 8 as it came, 40 to hold it, libraries. */
enum { MEMORY_BYTES = 80 << 20, CPU_S = 20 };

static bool set_limits(void)
{
    static const struct {
        __rlimit_resource_t what;
        rlim_t most;
    } limits[] = {
        {RLIMIT_AS,     MEMORY_BYTES},
        {RLIMIT_CPU,    CPU_S       },
        {RLIMIT_FSIZE,  0           },
        {RLIMIT_NPROC,  0           },
        {RLIMIT_CORE,   0           },
        {RLIMIT_NOFILE, 1           },
    };

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const struct rlimit limit = {limits[i].most, limits[i].most};

        if (setrlimit(limits[i].what, &limit) != 0) {
            return false;
        }
    }
    return true;
}

#define FIELD(name) (unsigned)offsetof(struct seccomp_data, name)
#define ALLOW(call) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* Only while the third argument has no PROT_EXEC. */
#define ALLOW_DATA(call)                                       \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 4),         \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(args[2])),    \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),          \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static bool filter_calls(void)
{
    static const struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr)),
        ALLOW(__NR_read),
        ALLOW(__NR_write),
        ALLOW(__NR_brk),
        ALLOW(__NR_munmap),
        ALLOW(__NR_mremap),
        ALLOW(__NR_madvise),
        ALLOW(__NR_exit_group),
        ALLOW(__NR_rt_sigreturn),
        ALLOW(__NR_restart_syscall),
        ALLOW(__NR_getrandom), /* malloc does, once */
        ALLOW_DATA(__NR_mmap),
        ALLOW_DATA(__NR_mprotect),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {
        .len = sizeof(rules) / sizeof(rules[0]),
        .filter = (struct sock_filter *)(void *)(size_t)rules,
    };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
#endif

bool confine(void)
{
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || close_range(1, ~0U, 0) != 0) {
        return false;
    }
#ifdef SANITIZED
    return true;
#else
    return set_limits() && filter_calls();
#endif
}
