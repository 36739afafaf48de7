/* Hashing takes 20 MB and 20 ms: one at a time in the process, and few may wait, since they hold a
 * thread meanwhile. Callers stand in line before that: their methods share one worker and a queue
 * of 64 (methods.c, rpc_server.h), which also makes guesses that come together count one after the
 * other. */
#ifndef CUSTOMER_SERVICE_AUTH_PASSWORD_QUEUE_H
#define CUSTOMER_SERVICE_AUTH_PASSWORD_QUEUE_H

#include "common/base/ctx.h"
#include "common/crypto/crypto.h"

enum { PASSWORD_QUEUE_ROOM = 4 }; /* the worker, who seeds, and some to spare */

struct password_queue;

struct password_queue *password_queue_new(int room);
void password_queue_free(struct password_queue *queue); /* NULL is fine; nobody may be inside */

/* PROBLEM_OVERLOADED when the room is full, ST_TIMEOUT when ctx ends before the turn comes. */
enum status password_queue_hash(struct ctx *ctx, struct password_queue *queue, const char *password,
                                char hash[PASSWORD_HASH_SIZE]) MUST_CHECK;
/* 'hash' NULL: there is no such account, which takes as long to find out. */
enum status password_queue_check(struct ctx *ctx, struct password_queue *queue,
                                 const char *password, const char *hash, bool *matches) MUST_CHECK;

#endif
