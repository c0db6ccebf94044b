/* The side of the control socket that asks and waits. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/control.h"

#define LINE_MAX_BYTES ((size_t)64 << 20) /* no answer is as long */
#define LOOK_BYTES 65536
#define CONNECT_S 10 /* in which an agent whose loop turns accepts */

bool control_path(const struct settings *settings, char path[CONTROL_PATH_MAX], struct fault *fault)
{
    const char *given = settings_text(settings, SETTING_AGENT_CONTROL);
    const char *dir = settings_text(settings, SETTING_AGENT_DIR);
    int length = given ? snprintf(path, CONTROL_PATH_MAX, "%s", given)
                       : snprintf(path, CONTROL_PATH_MAX, "%s/control", dir);
    if (length > 0 && length < CONTROL_PATH_MAX)
        return true;
    return fault_set(fault,
                     "%s: the control socket's path is longer than %d bytes; give agent.control a "
                     "shorter one",
                     given ? "agent.control" : "agent.dir", CONTROL_PATH_MAX - 1);
}

static bool nobody(const char *path, int why, struct fault *fault)
{
    switch (why) {
    case ENOENT:
    case ENOTDIR:
        return fault_set(
            fault,
            "no agent at %s: start it with `stagger run`, or say with --dir, --control "
            "or --config where it is",
            path);
    case ECONNREFUSED:
        return fault_set(fault, "the agent of %s does not run: start it with `stagger run`", path);
    case EACCES:
    case EPERM:
        return fault_set(
            fault, "%s: the agent answers only its own user and root; run this as one of them",
            path);
    case EAGAIN:
        return fault_set(fault, "the agent of %s accepts no command: it hangs, look at its log",
                         path);
    default:
        return fault_set(fault, "%s: %s", path, strerror(why));
    }
}

static bool send_all(int descriptor, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = send(descriptor, text, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EPIPE; /* it was turned away: why is there to be read */
        text += n;
        size -= (size_t)n;
    }
    return true;
}

static int connect_to(const char *path, struct fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = CONNECT_S};
    assert(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 ||
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
        connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0) {
        nobody(path, errno, fault);
        if (descriptor >= 0)
            close(descriptor);
        return -1;
    }
    return descriptor;
}

int control_ask(const char *path, json_t *request, struct fault *fault)
{
    char *line = json_dumps(request, JSON_COMPACT);
    size_t size = line ? strlen(line) : 0;
    int descriptor = -1;
    json_decref(request);
    if (!line || size > CONTROL_REQUEST_MAX)
        fault_set(fault, "the request cannot be sent: %s", line ? "it is too long" : "no memory");
    else
        descriptor = connect_to(path, fault);
    if (descriptor >= 0) {
        line[size] = '\n'; /* in place of its terminator */
        if (!send_all(descriptor, line, size + 1)) {
            nobody(path, errno, fault);
            close(descriptor);
            descriptor = -1;
        }
    }
    free(line);
    return descriptor;
}

/* --- reading --- */

struct line {
    char *text; /* owned */
    size_t size, room;
    bool whole;
};

static bool line_add(struct line *line, const char *bytes, size_t size)
{
    if (line->size + size > line->room) {
        size_t room = 2 * line->room + size;
        char *text = room > LINE_MAX_BYTES ? NULL : realloc(line->text, room);
        if (!text)
            return false;
        line->text = text;
        line->room = room;
    }
    memcpy(line->text + line->size, bytes, size);
    line->size += size;
    return true;
}

/* Takes out of the socket what belongs to this line, and leaves the next one there. Returns what recv() does. */
static ssize_t line_read(int descriptor, struct line *line, bool *too_long)
{
    static const char newline = '\n';
    char bytes[LOOK_BYTES];
    ssize_t n = recv(descriptor, bytes, sizeof bytes, MSG_PEEK);
    if (n <= 0)
        return n;
    const char *end = memchr(bytes, newline, (size_t)n);
    size_t size = end ? (size_t)(end - bytes) + 1 : (size_t)n;
    n = recv(descriptor, bytes, size, 0);
    if (n <= 0)
        return n;
    *too_long = !line_add(line, bytes, (size_t)n);
    line->whole = bytes[n - 1] == newline;
    return n;
}

/* Whether there is something to read before the time is over. */
static bool await(int descriptor, int64_t until_ms)
{
    struct pollfd item = {.fd = descriptor, .events = POLLIN};
    for (;;) {
        int64_t left_ms = until_ms < 0 ? -1 : until_ms - zclock_mono();
        if (until_ms >= 0 && left_ms < 0)
            left_ms = 0;
        int wait_ms = left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
        int rc = poll(&item, 1, wait_ms);
        if (rc > 0 || (rc < 0 && errno != EINTR))
            return true;
        if (rc == 0 && wait_ms == left_ms)
            return false;
    }
}

static enum control_heard line_parse(const struct line *line, json_t **object, struct fault *fault)
{
    json_error_t error;
    *object = json_loadb(line->text, line->size, 0, &error);
    if (json_is_object(*object))
        return CONTROL_HEARD;
    json_decref(*object);
    *object = NULL;
    fault_set(fault, "the agent's answer cannot be read; is it of this version?");
    return CONTROL_ENDED;
}

enum control_heard control_read(int descriptor, int64_t timeout_ms, json_t **object,
                                struct fault *fault)
{
    struct line line = {NULL, 0, 0, false};
    int64_t until_ms = timeout_ms < 0 ? -1 : zclock_mono() + timeout_ms;
    enum control_heard heard = CONTROL_HEARD;
    bool too_long = false;
    *object = NULL;
    while (!line.whole && heard == CONTROL_HEARD) {
        if (!await(descriptor, until_ms)) {
            fault_set(fault, "the agent has not answered in time");
            heard = CONTROL_TIMEOUT;
            break;
        }
        ssize_t n = line_read(descriptor, &line, &too_long);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || too_long) {
            fault_set(fault, too_long ? "the agent's answer is too long"
                                      : "the agent ended before it answered; look at its log");
            heard = CONTROL_ENDED;
        }
    }
    if (heard == CONTROL_HEARD)
        heard = line_parse(&line, object, fault);
    free(line.text);
    return heard;
}
