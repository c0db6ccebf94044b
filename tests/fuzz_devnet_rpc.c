/* libFuzzer entry of a devnet node's RPC: any bytes as a body, or, behind a zero byte, as "PATH\nNAME\nTEXT" of an
 * address. Every request is answered, at the latest when what waits has run out of time, with a reply that says what
 * it should. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/devnet_desk.h"

#define LATER_MS 60000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct desk *desk_of(void)
{
    static struct desk *desk;
    if (desk)
        return desk;
    desk = desk_open(3);
    for (int i = 0; i < 3; i++) {
        struct tx_bytes tx;
        tx.bytes = fake_tx(&desk->w, (uint32_t)i, FAKE_JOIN, &tx.size);
        desk_block(desk, &tx, 1);
        free((void *)(uintptr_t)tx.bytes);
    }
    desk->away = true;
    return desk;
}

static void assert_reply(const json_t *reply)
{
    assert(json_is_object(reply));
    assert(strcmp(json_string_value(json_object_get(reply, "jsonrpc")), "2.0") == 0);
    const json_t *error = json_object_get(reply, "error");
    assert(!error != !json_object_get(reply, "result"));
    if (error)
        assert(json_is_integer(json_object_get(error, "code")) &&
               json_is_string(json_object_get(error, "message")));
}

/* Lines of the rest of the input, each with its end; the last one is the rest. */
static char *line_of(char **rest)
{
    char *line = *rest, *end = strchr(line, '\n');
    if (end)
        *end++ = '\0';
    *rest = end ? end : line + strlen(line);
    return line;
}

static json_t *get(struct desk *desk, const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1);
    assert(text);
    if (size > 0)
        memcpy(text, data, size);
    char *rest = text, *path = line_of(&rest), *name = line_of(&rest);
    json_t *reply = desk_get(desk, path, name, rest);
    free(text);
    return reply;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct desk *desk = desk_of();
    uint32_t before = desk->answers;
    bool address = size > 0 && data[0] == 0;
    json_t *reply = address ? get(desk, data + 1, size - 1) : desk_bytes(desk, data, size);
    devnet_pool_tick(desk->rpc.pool, zclock_mono() + LATER_MS);
    assert(desk->answers == before + 1);
    if (!reply)
        reply = desk_answer(desk);
    for (size_t i = 0; i < json_array_size(reply); i++)
        assert_reply(json_array_get(reply, i));
    if (json_is_object(reply))
        assert_reply(reply);
    json_decref(reply);
    return 0;
}
