/* A client of the control socket in the same process as its server: whenever it waits, the server's loop turns.
 */
#ifndef STAGGER_TESTS_CONTROL_PROBE_H
#define STAGGER_TESTS_CONTROL_PROBE_H

#include <czmq.h>
#include <jansson.h>

#define PROBE_PATH_MAX 200

/* A directory of its own under TMPDIR, and a socket's path in it. */
struct probe_place {
    char dir[PROBE_PATH_MAX - 20], path[PROBE_PATH_MAX];
};

void probe_place_make(struct probe_place *place);
void probe_place_remove(struct probe_place *place);

struct probe {
    zloop_t *loop;
    int fd; /* -1: closed */
    char *text;
    size_t used, room;
};

struct probe probe_open(zloop_t *loop, const char *path);
void probe_close(struct probe *probe);
void probe_say(struct probe *probe, const char *text);
void probe_say_bytes(struct probe *probe, const char *bytes, size_t size);

/* The next object, NULL at the end of the connection. */
json_t *probe_hear(struct probe *probe);

/* Lets the loop turn until the descriptor is readable. */
void probe_turn(zloop_t *loop, int fd);

/* Opens, says, hears one object, closes. */
json_t *probe_ask(zloop_t *loop, const char *path, const char *request);

#endif
