/* The address of an endpoint, taken apart: what is asked, what may be shown, and who asks; for node/rpc*.c only.
 *
 *     https://anna:secret@rpc.example.org/kira  ->  request and shown "https://rpc.example.org/kira"
 *                                                   user "anna", password "secret"
 *     tcp://localhost:26657                     ->  "http://localhost:26657"
 */
#ifndef STAGGER_NODE_RPC_URL_H
#define STAGGER_NODE_RPC_URL_H

#include "proto/fault.h"

struct rpc_url {
    char *text;            /* of requests and messages: http or https, without user and password */
    char *user, *password; /* NULL without */
};

/* The fault repeats nothing of a text that may hold a password. */
MUST_CHECK bool rpc_url_parse(const char *text, struct rpc_url *out, struct fault *fault);
void rpc_url_destroy(struct rpc_url *url);

#endif
