/* Fuzzing what reads requests of the control socket: a line, then its keys.
 *
 * What is taken lies within the bounds that the rest of the agent relies on, and says the same when it is written down
 * and read again. */
#include <assert.h>
#include <string.h>

#include "node/agent_desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t room)
{
    size_t length = strnlen(text, room);
    assert(length < room);
    for (size_t i = 0; i < length; i++)
        assert((unsigned char)text[i] >= ' ' && text[i] != '\x7f');
}

static void check(const struct agent_request *request)
{
    assert(request->question <= ASK_REBOOT);
    assert(request->goal >= GOAL_OUT && request->goal <= GOAL_IDLE);
    assert(request->expected_ms >= EXPECTED_UNSAID);
    assert(request->expected_ms <= INT64_C(30) * 86400 * 1000);
    assert(!request->has_epoch || (request->epoch > 0 && request->epoch < UINT64_MAX / 2400 - 1));
    assert(request->question != ASK_PAUSE || request->reason[0]);
    assert(!request->target[0] || runtime_target_is_valid(request->target));
    assert(!request->force || request->question == ASK_PAUSE);
    check_text(request->reason, sizeof request->reason);
    check_text(request->target, sizeof request->target);
}

static bool is_same(const struct agent_request *a, const struct agent_request *b)
{
    return a->question == b->question && a->watch == b->watch && a->wait == b->wait &&
           a->force == b->force && a->has_epoch == b->has_epoch && a->epoch == b->epoch &&
           a->expected_ms == b->expected_ms && a->goal == b->goal &&
           strcmp(a->reason, b->reason) == 0 && strcmp(a->target, b->target) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agent_request request, again;
    struct fault fault;
    if (size > CONTROL_REQUEST_MAX)
        return 0;
    json_t *object = control_parse((const char *)data, size, &fault);
    if (!object) {
        assert(fault.text[0]);
        return 0;
    }
    if (agent_request_read(object, &request, &fault)) {
        check(&request);
        char *text = json_dumps(object, JSON_COMPACT);
        json_t *copy = control_parse(text, strlen(text), &fault);
        assert(copy && agent_request_read(copy, &again, &fault));
        assert(is_same(&request, &again));
        json_decref(copy);
        free(text);
    } else
        assert(fault.text[0]);
    json_decref(object);
    return 0;
}
