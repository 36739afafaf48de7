/* A bounded pool of threads for handlers that block. Internal to common/rpc. */
#ifndef COMMON_RPC_RPC_WORKERS_H
#define COMMON_RPC_RPC_WORKERS_H

#include <stdbool.h>

struct rpc_job { /* a member of what is to be worked on */
    struct rpc_job *next;
    void (*run)(struct rpc_job *job);
};

struct rpc_workers;

/* 'queue' jobs may wait beside those that find a thread idle. NULL: no thread could be started. */
struct rpc_workers *rpc_workers_new(int threads, int queue);
/* False when too many wait already. */
bool rpc_workers_offer(struct rpc_workers *workers, struct rpc_job *job);
/* Runs what waits, then ends the threads. NULL is fine. */
void rpc_workers_free(struct rpc_workers *workers);

#endif
