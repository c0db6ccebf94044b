/* A control socket whose owner answers "echo" at once and keeps everybody else waiting. The clock that it measures
 * patience by is set forward by the test: link with --wrap=zclock_mono.
 */
#ifndef STAGGER_TESTS_CONTROL_SERVER_H
#define STAGGER_TESTS_CONTROL_SERVER_H

#include "node/control.h"
#include "tests/control_probe.h"

#define WAITING_MAX 64
#define SERVER_ASK "{\"command\":\"echo\",\"n\":1}\n"
#define SERVER_KEEP "{\"command\":\"keep\"}\n"

struct server {
    struct probe_place place;
    zloop_t *loop;
    struct control *control;
    struct control_client *kept[WAITING_MAX];
    uint32_t kept_count, gone, asked;
    int bell[2]; /* rings when something happened */
};

extern struct server server;
extern int64_t server_later_ms; /* added to zclock_mono() */

int server_begin(void **state);
int server_end(void **state);
struct control *server_create(const char *path, struct fault *fault);
struct probe server_probe(void);

/* Waits until a client is kept or gone; the ring of one's own. */
void server_bell(void);
void server_ring(void);

/* Everything that was sent before has been looked at when this returns: another client came, was heard and answered. */
void server_settle(void);

void server_expect_word(json_t *object, const char *key, const char *word);
void server_expect_end(struct probe *probe);
json_t *server_large(size_t size);

#endif
