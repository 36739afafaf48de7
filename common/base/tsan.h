/* Libraries that are not built with ThreadSanitizer order our threads without its knowing: libgrpc
 * between "start batch" and its event, libmicrohttpd between "resume" and the next handler call.
 * These two lines say so; they make no code in other builds. */
#ifndef COMMON_BASE_TSAN_H
#define COMMON_BASE_TSAN_H

#if defined(__SANITIZE_THREAD__)
#define TSAN_IS_ON 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN_IS_ON 1
#endif
#endif

#ifdef TSAN_IS_ON
#include <sanitizer/tsan_interface.h>
#define HB_RELEASE(p) __tsan_release(p) /* what this thread did so far ... */
#define HB_ACQUIRE(p) __tsan_acquire(p) /* ... happened before what follows here */
#else
#define HB_RELEASE(p) ((void)(p))
#define HB_ACQUIRE(p) ((void)(p))
#endif

#endif
