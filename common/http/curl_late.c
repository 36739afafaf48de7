/* libcurl's functions, as far as this folder calls them: the first call brings the library into the
 * process. It comes with twenty others, and a daemon that neither pushes nor pays would hold them
 * all in memory for nothing (ADR 0017). Callers see curl/curl.h, as if libcurl were linked. */
#include "common/base/auto.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char library[] = "libcurl.so.4"; /* the ABI that curl/curl.h speaks of */

/* clang-format off */
#define CALLS(call) \
    call(curl_easy_cleanup) call(curl_easy_getinfo) call(curl_easy_header) call(curl_easy_init) \
    call(curl_easy_perform) call(curl_easy_recv) call(curl_easy_reset) call(curl_easy_send) \
    call(curl_easy_setopt) call(curl_easy_strerror) call(curl_global_init) \
    call(curl_multi_add_handle) call(curl_multi_cleanup) call(curl_multi_info_read) \
    call(curl_multi_init) \
    call(curl_multi_perform) call(curl_multi_poll) call(curl_multi_remove_handle) \
    call(curl_multi_setopt) call(curl_multi_wakeup) call(curl_slist_append) \
    call(curl_slist_free_all)
/* clang-format on */

#define MEMBER(name) __typeof__(&(name)) name;
#define NAME(name)   #name,
static const char *const names[] = {CALLS(NAME)};

/* curl/curl.h makes macros of some of the names. */
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

struct calls {
    CALLS(MEMBER)
};
static union {
    struct calls call;
    void *found[ARRAY_LEN(names)];
} late;

_Static_assert(sizeof(late.call) == sizeof(late.found), "one pointer a name");

/* All of them or none: a library that lacks one is found out at once, not in the middle of a push.
 */
static void load(void)
{
    void *curl = dlopen(library, RTLD_NOW | RTLD_LOCAL);

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        late.found[i] = curl ? dlsym(curl, names[i]) : NULL;
        if (!late.found[i]) {
            fprintf(stderr, "%s: %s\n", library, dlerror());
            abort(); /* a package is missing */
        }
    }
}

static const struct calls *loaded(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load);
    return &late.call;
}

/* The one argument behind the options is a long, a pointer or a curl_off_t: 64 bits that all
 * travel alike. */
_Static_assert(sizeof(long) == sizeof(void *) && sizeof(curl_off_t) == sizeof(void *),
               "a pointer carries each argument of setopt");

#define FORWARD_OPTION(type, name, handle, option) \
    type name(handle *on, option what, ...)        \
    {                                              \
        va_list rest;                              \
        va_start(rest, what);                      \
        void *value = va_arg(rest, void *);        \
        va_end(rest);                              \
        return loaded()->name(on, what, value);    \
    }
#define FORWARD(type, name, parameters, arguments) \
    type name parameters                           \
    {                                              \
        return loaded()->name arguments;           \
    }
#define FORWARD_VOID(name, type) \
    void name(type *gone)        \
    {                            \
        loaded()->name(gone);    \
    }

FORWARD_OPTION(CURLcode, curl_easy_getinfo, CURL, CURLINFO)
FORWARD_OPTION(CURLcode, curl_easy_setopt, CURL, CURLoption)
FORWARD_OPTION(CURLMcode, curl_multi_setopt, CURLM, CURLMoption)
FORWARD(CURLcode, curl_global_init, (long flags), (flags))
FORWARD(CURL *, curl_easy_init, (void), ())
FORWARD(CURLcode, curl_easy_perform, (CURL * curl), (curl))
FORWARD(CURLcode, curl_easy_recv, (CURL * curl, void *bytes, size_t room, size_t *count),
        (curl, bytes, room, count))
FORWARD(CURLcode, curl_easy_send, (CURL * curl, const void *bytes, size_t size, size_t *count),
        (curl, bytes, size, count))
FORWARD(const char *, curl_easy_strerror, (CURLcode code), (code))
FORWARD(CURLHcode, curl_easy_header,
        (CURL * curl, const char *name, size_t index, unsigned origin, int request,
         struct curl_header **header),
        (curl, name, index, origin, request, header))
FORWARD(CURLM *, curl_multi_init, (void), ())
FORWARD(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL *curl), (multi, curl))
FORWARD(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL *curl), (multi, curl))
FORWARD(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi))
FORWARD(CURLMcode, curl_multi_perform, (CURLM * multi, int *running), (multi, running))
FORWARD(CURLMcode, curl_multi_poll,
        (CURLM * multi, struct curl_waitfd fds[], unsigned count, int timeout_ms, int *ready),
        (multi, fds, count, timeout_ms, ready))
FORWARD(CURLMcode, curl_multi_wakeup, (CURLM * multi), (multi))
FORWARD(CURLMsg *, curl_multi_info_read, (CURLM * multi, int *left), (multi, left))
FORWARD(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *line),
        (list, line))
FORWARD_VOID(curl_easy_cleanup, CURL)
FORWARD_VOID(curl_easy_reset, CURL)
FORWARD_VOID(curl_slist_free_all, struct curl_slist)
