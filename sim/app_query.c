/* abci_query: paths, pages and refusals. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app_query.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MOST 512

void app_ask_refuse(struct app_answer *answer, uint32_t code, const char *codespace,
                    const char *format, ...)
{
    va_list arguments;
    assert(strlen(codespace) < sizeof answer->codespace);
    answer->code = code;
    strcpy(answer->codespace, codespace);
    va_start(arguments, format);
    (void)vsnprintf(answer->log, sizeof answer->log, format, arguments);
    va_end(arguments);
}

struct tx_bytes app_ask_bytes(const struct app_text *text)
{
    return (struct tx_bytes){(const uint8_t *)text->bytes, text->size};
}

void app_ask_not_found(struct app_answer *answer, const char *what)
{
    app_ask_refuse(answer, SDK_NOT_FOUND, "sdk",
                   "rpc error: code = NotFound desc = %s: key not found", what);
}

bool app_ask_address_read(const struct app *app, const char *kind, const char *text,
                          uint8_t address[ACCOUNT_ADDRESS_SIZE], struct app_answer *answer)
{
    char prefix[APP_PREFIX_MAX + 8];
    struct fault fault;
    (void)snprintf(prefix, sizeof prefix, "%s%s", app->genesis.prefix, kind);
    if (account_parse(text, prefix, address, &fault))
        return true;
    app_ask_refuse(answer, SDK_INVALID, "sdk", "%s: invalid request", fault.text);
    return false;
}

/* --- pages, as the SDK's FilteredPaginate() makes them --- */

static int key_compare(const struct app_ask_list *list, uint32_t item, const uint8_t *key,
                       size_t size)
{
    uint8_t own[ANSWER_KEY_MAX];
    size_t own_size = list->key(list, item, own);
    int order = memcmp(own, key, own_size < size ? own_size : size);
    if (order != 0)
        return order;
    return own_size < size ? -1 : own_size > size;
}

static void tail_set(const struct app_ask_list *list, uint32_t item, struct answer_tail *tail)
{
    tail->next_key_size = list->key(list, item, tail->next_key);
}

static void page_by_key(struct app_ask_list *list, const struct answer_page *page, uint64_t limit)
{
    for (uint32_t step = 0; step < list->count; step++) {
        uint32_t item = page->reverse ? list->count - 1 - step : step;
        int order = key_compare(list, item, page->key, page->key_size);
        if (page->reverse ? order > 0 : order < 0)
            continue;
        if (list->hit_count == limit) {
            tail_set(list, item, &list->tail);
            return;
        }
        if (!list->matches || list->matches(list, item))
            list->hits[list->hit_count++] = item;
    }
}

static void page_by_offset(struct app_ask_list *list, const struct answer_page *page,
                           uint64_t limit, bool count_total)
{
    uint64_t end = page->offset > UINT64_MAX - limit ? UINT64_MAX : page->offset + limit;
    uint64_t matched = 0;
    for (uint32_t step = 0; step < list->count; step++) {
        uint32_t item = page->reverse ? list->count - 1 - step : step;
        bool match = !list->matches || list->matches(list, item);
        if (match && matched >= page->offset && matched < end)
            list->hits[list->hit_count++] = item;
        matched += match;
        if (matched > 0 && matched - 1 == end && list->tail.next_key_size == 0) {
            tail_set(list, item, &list->tail);
            if (!count_total)
                break;
        }
    }
    list->tail.total = count_total ? matched : 0;
}

bool app_ask_page_run(struct app_ask_list *list, const struct answer_request *request,
                      struct app_answer *answer)
{
    const struct answer_page *page = &request->page;
    uint64_t limit = page->limit < LIMIT_MOST ? page->limit : LIMIT_MOST;
    bool count_total = page->count_total || limit == 0;
    if (page->offset > 0 && page->key_size > 0) {
        app_ask_refuse(answer, SDK_INVALID, "sdk",
                       "invalid request, either offset or key is expected, got both: "
                       "invalid request");
        return false;
    }
    if (limit == 0)
        limit = LIMIT_DEFAULT;
    list->hits = calloc(list->count ? list->count : 1, sizeof *list->hits);
    assert(list->hits);
    if (page->key_size > 0)
        page_by_key(list, page, limit);
    else
        page_by_offset(list, page, limit, count_total);
    return true;
}

/* --- paths --- */

static bool height_check(const struct app *app, int64_t height, struct app_answer *answer)
{
    int64_t last = (int64_t)model_height(app->model).n;
    const char *name = app->genesis.kind == CHAIN_KIRA ? "sekaid" : "dcld";
    if (last < (int64_t)app->genesis.initial_height.n)
        app_ask_refuse(answer, SDK_HEIGHT, "sdk",
                       "%s is not ready; please wait for first block: invalid height", name);
    else if (height < 0)
        app_ask_refuse(
            answer, SDK_HEIGHT, "sdk",
            "cannot query with height < 0; please provide a valid height: invalid height");
    else if (height > last)
        app_ask_refuse(answer, SDK_HEIGHT, "sdk",
                       "cannot query with height in the future; please provide a valid height: "
                       "invalid height");
    else if (height > 0 && height < last)
        app_ask_refuse(answer, SDK_INVALID, "sdk",
                       "failed to load state at height %" PRId64
                       "; version does not exist (latest height: %" PRId64 "): invalid request",
                       height, last);
    else
        return true;
    return false;
}

static const struct app_ask_path *path_find(const struct app *app, const char *path)
{
    const struct app_ask_path *list =
        app->genesis.kind == CHAIN_KIRA ? app_ask_paths_kira : app_ask_paths_dcl;
    while (list->path && strcmp(list->path, path) != 0)
        list++;
    return list->path ? list : NULL;
}

void app_query(const struct app *app, const char *path, const uint8_t *data, size_t size,
               int64_t height, struct app_answer *answer)
{
    const struct app_ask_path *found = path_find(app, path);
    struct answer_request request;
    struct fault fault;
    *answer = (struct app_answer){0};
    if (!found) {
        app_ask_refuse(answer, SDK_UNKNOWN_REQUEST, "sdk", "%s: unknown request",
                       *path ? "unknown query path" : "no query path provided");
        return;
    }
    answer->height = height ? height : (int64_t)model_height(app->model).n;
    if (!height_check(app, height, answer))
        return;
    if (!answer_request_read(found->shape, data, size, &request, &fault)) {
        app_ask_refuse(answer, SDK_INVALID, "sdk", "%s: invalid request", fault.text);
        return;
    }
    found->run(app, &request, answer);
    if (answer->code == 0)
        assert(answer->value);
}
