#include "tests/control_probe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

void probe_place_make(struct probe_place *place)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(place->dir, sizeof place->dir, "%s/stagger-control-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof place->path, "%s/control", place->dir);
}

void probe_place_remove(struct probe_place *place)
{
    unlink(place->path);
    assert_int_equal(rmdir(place->dir), 0);
}

struct probe probe_open(zloop_t *loop, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct probe probe = {.loop = loop};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    probe.fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(probe.fd >= 0);
    assert_int_equal(connect(probe.fd, (const struct sockaddr *)&address, sizeof address), 0);
    return probe;
}

void probe_close(struct probe *probe)
{
    if (probe->fd >= 0)
        close(probe->fd);
    probe->fd = -1;
    free(probe->text);
    probe->text = NULL;
    probe->used = probe->room = 0;
}

void probe_say_bytes(struct probe *probe, const char *bytes, size_t size)
{
    assert_int_equal(send(probe->fd, bytes, size, MSG_NOSIGNAL), size);
}

void probe_say(struct probe *probe, const char *text)
{
    probe_say_bytes(probe, text, strlen(text));
}

static int stop(zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    (void)loop;
    (void)item;
    (void)argument;
    return -1;
}

void probe_turn(zloop_t *loop, int fd)
{
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLIN};
    assert_int_equal(zloop_poller(loop, &item, stop, NULL), 0);
    zloop_poller_set_tolerant(loop, &item);
    zloop_start(loop);
    zloop_poller_end(loop, &item);
}

/* Takes one line off the front of what was read; NULL when there is none. */
static json_t *take_line(struct probe *probe)
{
    const char *end = probe->used ? memchr(probe->text, '\n', probe->used) : NULL;
    if (!end)
        return NULL;
    size_t size = (size_t)(end - probe->text);
    json_t *object = json_loadb(probe->text, size, 0, NULL);
    assert_true(json_is_object(object));
    probe->used -= size + 1;
    memmove(probe->text, end + 1, probe->used);
    return object;
}

json_t *probe_hear(struct probe *probe)
{
    for (;;) {
        json_t *object = take_line(probe);
        if (object)
            return object;
        if (probe->room - probe->used < 65536) {
            probe->room += 65536 + probe->room;
            probe->text = realloc(probe->text, probe->room);
            assert_non_null(probe->text);
        }
        probe_turn(probe->loop, probe->fd);
        ssize_t n = recv(probe->fd, probe->text + probe->used, probe->room - probe->used, 0);
        if (n == 0 || (n < 0 && errno == ECONNRESET)) {
            assert_int_equal(probe->used, 0); /* nothing is left half-written */
            return NULL;
        }
        assert_true(n > 0);
        probe->used += (size_t)n;
    }
}

json_t *probe_ask(zloop_t *loop, const char *path, const char *request)
{
    struct probe probe = probe_open(loop, path);
    probe_say(&probe, request);
    json_t *object = probe_hear(&probe);
    assert_non_null(object);
    probe_close(&probe);
    return object;
}
