/* tests/rpc_server.py as a process beside a test, which ends with it. */
#ifndef STAGGER_TESTS_RPC_PROCESS_H
#define STAGGER_TESTS_RPC_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RPC_PROCESS_URLS_MAX 4

struct rpc_process {
    pid_t pid;
    int input; /* the server ends when this is closed */
    char urls[RPC_PROCESS_URLS_MAX][64];
    char ca_file[256]; /* "" without TLS */
};

/* Starts so many servers and waits until they listen; fails the program when they do not. */
void rpc_process_start(struct rpc_process *process, uint32_t servers, bool tls);
void rpc_process_stop(struct rpc_process *process);

#endif
