#include "tests/trace_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_tree.h>

/* Where the reader stands; the first error ends it. */
struct reader {
    const char *path;
    uint32_t line;
    char *error;
    bool bad;
    struct trace *trace;
};

static void refuse(struct reader *r, const char *field, const char *expected)
{
    if (!r->bad)
        snprintf(r->error, TRACE_ERROR_MAX, "%s:%u: %s: expected %s", r->path, r->line, field,
                 expected);
    r->bad = true;
}

/* The array with room for one more element behind `count`, which is zeroed. It doubles when the count is a
 * power of two. */
static void *grown(void *array, uint32_t count, size_t size)
{
    char *base = array;
    if ((count & (count - 1)) == 0)
        base = realloc(base, (count ? 2 * (size_t)count : 1) * size);
    if (!base)
        abort();
    memset(base + count * size, 0, size);
    return base;
}

/* --- fields --- */

static yajl_val field_of(yajl_val object, const char *name)
{
    const char *path[] = {name, NULL};
    return yajl_tree_get(object, path, yajl_t_any);
}

static int64_t need_number(struct reader *r, yajl_val object, const char *name, int64_t low,
                           int64_t high)
{
    char expected[96];
    yajl_val value = field_of(object, name);
    if (value && YAJL_IS_INTEGER(value) && YAJL_GET_INTEGER(value) >= low &&
        YAJL_GET_INTEGER(value) <= high)
        return YAJL_GET_INTEGER(value);
    snprintf(expected, sizeof expected, "a whole number from %" PRId64 " to %" PRId64, low, high);
    refuse(r, name, expected);
    return low;
}

static uint32_t need_count(struct reader *r, yajl_val object, const char *name)
{
    return (uint32_t)need_number(r, object, name, 0, UINT32_MAX);
}

static struct height need_height(struct reader *r, yajl_val object, const char *name)
{
    return height_at((uint64_t)need_number(r, object, name, 0, INT64_MAX));
}

static uint32_t need_validator(struct reader *r, yajl_val object)
{
    int64_t last = (int64_t)r->trace->validator_count - 1;
    return (uint32_t)need_number(r, object, "validator", 0, last);
}

static const char *need_text(struct reader *r, yajl_val object, const char *name)
{
    yajl_val value = field_of(object, name);
    if (value && YAJL_IS_STRING(value))
        return YAJL_GET_STRING(value);
    refuse(r, name, "a text");
    return "";
}

static bool need_bool(struct reader *r, yajl_val object, const char *name)
{
    yajl_val value = field_of(object, name);
    if (!value || !(YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value)))
        refuse(r, name, "true or false");
    return value && YAJL_IS_TRUE(value);
}

/* The place of the field's text in words[]; 0 when it is none of them. */
static uint32_t need_word(struct reader *r, yajl_val object, const char *name,
                          const char *const *words, const char *expected)
{
    const char *text = need_text(r, object, name);
    for (uint32_t i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    refuse(r, name, expected);
    return 0;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void need_hex(struct reader *r, yajl_val object, const char *name, uint8_t *bytes,
                     size_t size)
{
    char expected[64];
    const char *text = need_text(r, object, name);
    snprintf(expected, sizeof expected, "%zu lower-case hex digits", 2 * size);
    if (strlen(text) != 2 * size) {
        refuse(r, name, expected);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            refuse(r, name, expected);
        bytes[i] = (uint8_t)(high * 16 + low);
    }
}

static uint32_t need_charter(struct reader *r, yajl_val object, const char *name)
{
    uint8_t b[4] = {0};
    need_hex(r, object, name, b, sizeof b);
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void copy_text(struct reader *r, yajl_val object, const char *name, char *text, size_t size)
{
    const char *found = need_text(r, object, name);
    if (strlen(found) >= size)
        refuse(r, name, "a shorter text");
    else
        memcpy(text, found, strlen(found) + 1);
}

static struct trace_list need_list(struct reader *r, yajl_val object, const char *name)
{
    struct trace_list list = {NULL, 0};
    yajl_val value = field_of(object, name);
    if (!value || !YAJL_IS_ARRAY(value)) {
        refuse(r, name, "a list of validators");
        return list;
    }
    for (size_t i = 0; i < YAJL_GET_ARRAY(value)->len; i++) {
        yajl_val item = YAJL_GET_ARRAY(value)->values[i];
        list.items = grown(list.items, list.count++, sizeof *list.items);
        if (!YAJL_IS_INTEGER(item) || YAJL_GET_INTEGER(item) < 0 ||
            YAJL_GET_INTEGER(item) >= r->trace->validator_count)
            refuse(r, name, "validators that the first line lists");
        else
            list.items[i] = (uint32_t)YAJL_GET_INTEGER(item);
    }
    return list;
}

/* --- lines --- */

static void read_phi(struct reader *r, yajl_val object, struct charter *c)
{
    int used = 0;
    const char *text = need_text(r, object, "phi");
    if (sscanf(text, "%" SCNu32 "/%" SCNu32 "%n", &c->phi_num, &c->phi_den, &used) != 2 ||
        text[used] != '\0')
        refuse(r, "phi", "a fraction such as \"2/3\"");
}

static void read_ramp(struct reader *r, yajl_val object, struct charter *c)
{
    yajl_val ramp = field_of(object, "ramp");
    if (ramp && YAJL_IS_NULL(ramp))
        return;
    if (!ramp || !YAJL_IS_ARRAY(ramp) || YAJL_GET_ARRAY(ramp)->len != 2 ||
        !YAJL_IS_INTEGER(YAJL_GET_ARRAY(ramp)->values[0]) ||
        !YAJL_IS_INTEGER(YAJL_GET_ARRAY(ramp)->values[1])) {
        refuse(r, "ramp", "null or two whole numbers");
        return;
    }
    c->ramp = true;
    c->ramp_a = (uint32_t)YAJL_GET_INTEGER(YAJL_GET_ARRAY(ramp)->values[0]);
    c->ramp_b = (uint32_t)YAJL_GET_INTEGER(YAJL_GET_ARRAY(ramp)->values[1]);
}

static void read_charter(struct reader *r, yajl_val object, struct charter *c)
{
    static const char *const orders[] = {"long-first", "plain", NULL};
    yajl_val reserve = field_of(object, "reserve");
    c->id = need_charter(r, object, "hash");
    c->min_validators = need_count(r, object, "min_validators");
    c->epoch_blocks = need_count(r, object, "epoch_blocks");
    c->live_blocks = need_count(r, object, "live_blocks");
    c->round_blocks = need_count(r, object, "round_blocks");
    c->joins_max = need_count(r, object, "joins_max");
    c->reference_blocks = need_height(r, object, "reference_blocks").n;
    c->reserve = RESERVE_DEFAULT;
    if (!reserve || !YAJL_IS_NULL(reserve))
        c->reserve = need_count(r, object, "reserve");
    c->order = need_word(r, object, "order", orders, "long-first or plain") == 0 ? ORDER_LONG_FIRST
                                                                                 : ORDER_PLAIN;
    c->settle_blocks = 3; /* a trace does not tell it and the draw does not use it */
    read_phi(r, object, c);
    read_ramp(r, object, c);
}

static void read_world(struct reader *r, yajl_val object)
{
    static const char *const chains[] = {"kira", "dcl", NULL};
    struct trace *t = r->trace;
    yajl_val list = field_of(object, "validators"), charter = field_of(object, "charter");
    if (!list || !YAJL_IS_ARRAY(list) || !charter || !YAJL_IS_OBJECT(charter)) {
        refuse(r, "world", "a list \"validators\" and an object \"charter\"");
        return;
    }
    t->chain = need_word(r, object, "chain", chains, "kira or dcl") == 0 ? CHAIN_KIRA : CHAIN_DCL;
    read_charter(r, charter, &t->charter);
    copy_text(r, object, "chain_id", t->charter.chain_id, CHAIN_ID_MAX);
    for (uint32_t i = 0; i < YAJL_GET_ARRAY(list)->len; i++) {
        yajl_val item = YAJL_GET_ARRAY(list)->values[i];
        t->validators = grown(t->validators, t->validator_count, sizeof *t->validators);
        struct trace_validator *v = &t->validators[t->validator_count++];
        if (need_count(r, item, "validator") != i)
            refuse(r, "validators", "numbers in order from 0");
        need_hex(r, item, "address", v->address, ADDRESS_SIZE);
        v->in_set = need_bool(r, item, "in_set");
        v->agent = need_bool(r, item, "agent");
    }
}

static void read_block(struct reader *r, yajl_val object)
{
    struct trace *t = r->trace;
    t->blocks = grown(t->blocks, t->block_count, sizeof *t->blocks);
    struct trace_block *b = &t->blocks[t->block_count++];
    b->height = need_height(r, object, "height");
    b->time.ms = need_number(r, object, "time_ms", INT64_MIN, INT64_MAX);
    need_hex(r, object, "hash", b->hash, HASH_SIZE);
    b->set = need_count(r, object, "set");
    b->active = need_count(r, object, "active");
    b->missing = need_list(r, object, "missing");
    if (t->block_count > 1 && b->height.n != b[-1].height.n + 1)
        refuse(r, "height", "the height after that of the last block");
}

static void read_tx(struct reader *r, yajl_val object)
{
    static const char *const kinds[] = {"other", "join", "pause", "unpause", "activate", NULL};
    struct trace *t = r->trace;
    t->txs = grown(t->txs, t->tx_count, sizeof *t->txs);
    struct trace_tx *x = &t->txs[t->tx_count++];
    x->height = need_height(r, object, "height");
    x->timeout = need_height(r, object, "timeout_height");
    x->index = need_count(r, object, "index");
    x->validator = need_validator(r, object);
    x->code = need_count(r, object, "code");
    x->kind =
        (enum tx_kind)need_word(r, object, "msg", kinds, "join, pause, unpause, activate or other");
    copy_text(r, object, "codespace", x->codespace, sizeof x->codespace);
    copy_text(r, object, "by", x->by, sizeof x->by);
    if (x->kind != TX_JOIN)
        return;
    x->class_minutes = (uint32_t)need_number(r, object, "class", CLASS_MIN, CLASS_MAX);
    x->charter = need_charter(r, object, "charter");
}

static void read_set(struct reader *r, yajl_val object)
{
    static const char *const changes[] = {"leave", "enter", NULL};
    struct trace *t = r->trace;
    t->sets = grown(t->sets, t->set_count, sizeof *t->sets);
    struct trace_set *s = &t->sets[t->set_count++];
    s->height = need_height(r, object, "height");
    s->validator = need_validator(r, object);
    s->enters = need_word(r, object, "change", changes, "leave or enter") == 1;
}

static void read_host(struct reader *r, yajl_val object)
{
    static const char *const states[] = {"down", "up", NULL};
    struct trace *t = r->trace;
    t->hosts = grown(t->hosts, t->host_count, sizeof *t->hosts);
    struct trace_host *h = &t->hosts[t->host_count++];
    h->time.ms = need_number(r, object, "time_ms", INT64_MIN, INT64_MAX);
    h->validator = need_validator(r, object);
    h->up = need_word(r, object, "state", states, "down or up") == 1;
    h->fault = need_bool(r, object, "fault");
}

static void read_epoch(struct reader *r, yajl_val object)
{
    struct trace *t = r->trace;
    t->epochs = grown(t->epochs, t->epoch_count, sizeof *t->epochs);
    struct trace_epoch *e = &t->epochs[t->epoch_count++];
    e->epoch.n = need_height(r, object, "epoch").n;
    e->members = need_count(r, object, "members");
    e->live = need_count(r, object, "live");
    e->candidates = need_count(r, object, "candidates");
    e->used_up = need_count(r, object, "used_up");
    e->foreign = need_count(r, object, "foreign");
    e->reference = need_count(r, object, "reference");
    e->floor = need_count(r, object, "floor");
    e->budget = need_count(r, object, "budget");
    e->permits = need_list(r, object, "permits");
}

static void read_line(struct reader *r, const char *line)
{
    static const struct {
        const char *type;
        void (*read)(struct reader *r, yajl_val object);
    } types[] = {{"world", read_world}, {"block", read_block}, {"tx", read_tx},
                 {"set", read_set},     {"host", read_host},   {"epoch", read_epoch}};
    char wrong[256];
    yajl_val object = yajl_tree_parse(line, wrong, sizeof wrong);
    if (!object || !YAJL_IS_OBJECT(object)) {
        refuse(r, "line", "a JSON object");
        yajl_tree_free(object);
        return;
    }
    const char *type = need_text(r, object, "type");
    if ((r->line == 1) != (strcmp(type, "world") == 0))
        refuse(r, "type", "the world in the first line and nowhere else");
    for (size_t i = 0; !r->bad && i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i].type) == 0)
            types[i].read(r, object);
    yajl_tree_free(object);
}

bool trace_read(const char *path, struct trace *trace, char error[TRACE_ERROR_MAX])
{
    struct reader r = {.path = path, .error = error, .trace = trace};
    char *line = NULL;
    size_t room = 0;
    memset(trace, 0, sizeof *trace);
    FILE *file = fopen(path, "r");
    if (!file) {
        snprintf(error, TRACE_ERROR_MAX, "%s: cannot be opened: %s", path, strerror(errno));
        return false;
    }
    while (!r.bad && getline(&line, &room, file) >= 0) {
        r.line++;
        read_line(&r, line);
    }
    if (!r.bad && (ferror(file) || trace->block_count == 0))
        refuse(&r, "file", "a world and at least one block");
    free(line);
    fclose(file);
    return !r.bad;
}

void trace_free(struct trace *trace)
{
    for (uint32_t i = 0; i < trace->block_count; i++)
        free(trace->blocks[i].missing.items);
    for (uint32_t i = 0; i < trace->epoch_count; i++)
        free(trace->epochs[i].permits.items);
    free(trace->validators);
    free(trace->blocks);
    free(trace->txs);
    free(trace->sets);
    free(trace->hosts);
    free(trace->epochs);
    memset(trace, 0, sizeof *trace);
}
