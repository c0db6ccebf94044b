/* libFuzzer entry of everything that reads a node's replies: limits, JSON, envelope and one reader.
 *
 *     input = selector, text        selector % REPLY_KINDS names the reader; the id asked for is 1
 *
 * What is read once is read again from the tree as the library writes it, which must give the same values.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/reply_flat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_tree(const json_t *tree, const struct reply_kind *kind, struct flat *flat)
{
    struct rpc_envelope envelope;
    struct fault fault = {""};
    if (!rpc_envelope(tree, 1, &envelope, &fault)) {
        assert(fault.text[0] != '\0' && strchr(fault.text, '\n') == NULL);
        return false;
    }
    assert(envelope.error_message != NULL && envelope.error_data != NULL);
    if (envelope.result != NULL)
        return kind->read(envelope.result, flat, &fault);
    assert(json_object_get(tree, "error") != NULL);
    return false;
}

static void read_again(const json_t *tree, const struct reply_kind *kind, const struct flat *first)
{
    struct flat second = {0};
    struct fault fault;
    char *text = json_dumps(tree, JSON_COMPACT | JSON_ENSURE_ASCII);
    assert(text != NULL);
    json_t *again = rpc_parse(text, strlen(text), &fault);
    if (again != NULL) { /* reals may be written as what is too large to be read */
        bool good = read_tree(again, kind, &second);
        assert(good && second.used == first->used);
        assert(memcmp(second.text, first->text, first->used) == 0);
    }
    flat_free(&second);
    json_decref(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flat flat = {0};
    struct fault fault = {""};
    if (size < 1)
        return 0;
    const struct reply_kind *kind = &reply_kinds[data[0] % REPLY_KINDS];
    json_t *tree = rpc_parse((const char *)data + 1, size - 1, &fault);
    if (tree == NULL)
        assert(fault.text[0] != '\0' && strchr(fault.text, '\n') == NULL);
    else if (read_tree(tree, kind, &flat))
        read_again(tree, kind, &flat);
    flat_free(&flat);
    json_decref(tree);
    return 0;
}
