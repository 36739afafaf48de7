/* Answers that are due later, or never: one thread that waits for the next of them. */
#ifndef TESTS_FAKES_PAYMENT_LATER_H
#define TESTS_FAKES_PAYMENT_LATER_H

#include <stdint.h>

struct http_request;
struct later;

struct later *later_start(void);
/* Those still waiting are hung up on, and so is who comes after. NULL is fine in both. */
void later_stop(struct later *later);
void later_free(struct later *later); /* stopped, and nobody comes any more */

/* Answers in 'delay_ms' with that; 'http' 0 hangs up then. 'body' lives in the request's ctx. */
void later_reply(struct later *later, struct http_request *request, int delay_ms, int http,
                 const char *body);

#endif
