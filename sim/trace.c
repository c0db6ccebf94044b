#include "sim/trace.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/encoding.h"
#include "sim/report.h"

#define BUFFER_SIZE 65536
#define LINE_MAX_SIZE 1024 /* of what one put() writes */

struct trace {
    FILE *out;
    EVP_MD_CTX *hash;
    bool failed;
    int64_t spent_ns, entered_ns;
    size_t used;
    char buffer[BUFFER_SIZE];
};

static int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct trace *trace_create(FILE *out, bool digest)
{
    struct trace *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->out = out;
    if (digest) {
        t->hash = EVP_MD_CTX_new();
        if (!t->hash || !EVP_DigestInit_ex(t->hash, EVP_sha256(), NULL)) {
            EVP_MD_CTX_free(t->hash);
            free(t);
            return NULL;
        }
    }
    return t;
}

static void flush(struct trace *t)
{
    if (t->out && fwrite(t->buffer, 1, t->used, t->out) != t->used)
        t->failed = true;
    if (t->hash && !EVP_DigestUpdate(t->hash, t->buffer, t->used))
        t->failed = true;
    t->used = 0;
}

bool trace_destroy(struct trace **trace, char hash[65])
{
    struct trace *t = *trace;
    uint8_t bytes[32];
    hash[0] = '\0';
    if (!t)
        return true;
    flush(t);
    if (t->out && fflush(t->out) != 0)
        t->failed = true;
    if (t->hash && EVP_DigestFinal_ex(t->hash, bytes, NULL))
        hex_encode(bytes, sizeof bytes, hash);
    bool ok = !t->failed;
    EVP_MD_CTX_free(t->hash);
    free(t);
    *trace = NULL;
    return ok;
}

int64_t trace_spent_ns(const struct trace *trace)
{
    return trace ? trace->spent_ns : 0;
}

static bool enter(struct trace *t)
{
    if (t)
        t->entered_ns = clock_ns();
    return t != NULL;
}

static void leave(struct trace *t)
{
    t->spent_ns += clock_ns() - t->entered_ns;
}

__attribute__((format(printf, 2, 3))) static void put(struct trace *t, const char *format, ...)
{
    va_list arguments;
    if (BUFFER_SIZE - t->used < LINE_MAX_SIZE)
        flush(t);
    va_start(arguments, format);
    int size = vsnprintf(t->buffer + t->used, LINE_MAX_SIZE, format, arguments);
    va_end(arguments);
    assert(size >= 0 && size < LINE_MAX_SIZE);
    t->used += (size_t)size;
}

/* Text that people wrote goes through the report's escaping. */
static void put_string(struct trace *t, const char *text)
{
    char escaped[LINE_MAX_SIZE / 2] = "";
    FILE *memory = fmemopen(escaped, sizeof escaped, "w");
    assert(memory);
    report_json_string(memory, text);
    fclose(memory);
    put(t, "%s", escaped);
}

static void put_numbers(struct trace *t, const uint32_t *numbers, uint32_t count)
{
    put(t, "[");
    for (uint32_t i = 0; i < count; i++)
        put(t, i ? ", %" PRIu32 : "%" PRIu32, numbers[i]);
    put(t, "]");
}

static void put_charter(struct trace *t, const struct charter *c)
{
    put(t,
        "{\"hash\": \"%08" PRIx32 "\", \"min_validators\": %" PRIu64 ", \"epoch_blocks\": %" PRIu32,
        c->id, c->min_validators, c->epoch_blocks);
    put(t, ", \"live_blocks\": %" PRIu32 ", \"round_blocks\": %" PRIu32 ", \"joins_max\": %" PRIu32,
        c->live_blocks, c->round_blocks, c->joins_max);
    put(t, ", \"reference_blocks\": %" PRIu64 ", \"phi\": \"%" PRIu32 "/%" PRIu32 "\"",
        c->reference_blocks, c->phi_num, c->phi_den);
    if (c->reserve == RESERVE_DEFAULT)
        put(t, ", \"reserve\": null");
    else
        put(t, ", \"reserve\": %" PRId64, c->reserve);
    put(t, ", \"order\": \"%s\"", c->order == ORDER_PLAIN ? "plain" : "long-first");
    if (c->ramp)
        put(t, ", \"ramp\": [%" PRIu32 ", %" PRIu32 "]}", c->ramp_a, c->ramp_b);
    else
        put(t, ", \"ramp\": null}");
}

void trace_world(struct trace *t, const struct trace_world *w)
{
    if (!enter(t))
        return;
    put(t, "{\"type\": \"world\", \"chain\": \"%s\", \"chain_id\": ",
        w->chain == CHAIN_KIRA ? "kira" : "dcl");
    put_string(t, w->charter->chain_id);
    put(t, ", \"charter\": ");
    put_charter(t, w->charter);
    put(t, ", \"validators\": [");
    for (uint32_t i = 0; i < w->count; i++) {
        char address[2 * ADDRESS_SIZE + 1];
        hex_encode(w->records[i].address, ADDRESS_SIZE, address);
        put(t, "%s{\"validator\": %" PRIu32 ", \"address\": \"%s\", \"moniker\": ", i ? ", " : "",
            i, address);
        put_string(t, w->records[i].moniker);
        put(t, ", \"in_set\": %s, \"agent\": %s}", w->in_set[i] ? "true" : "false",
            w->agent[i] ? "true" : "false");
    }
    put(t, "]}\n");
    leave(t);
}

void trace_block(struct trace *t, const struct view_block *b, uint32_t set, uint32_t active)
{
    char hash[2 * HASH_SIZE + 1];
    if (!enter(t))
        return;
    hex_encode(b->hash, HASH_SIZE, hash);
    put(t,
        "{\"type\": \"block\", \"height\": %" PRIu64 ", \"time_ms\": %" PRId64 ", \"hash\": \"%s\"",
        b->height.n, b->time.ms, hash);
    put(t, ", \"set\": %" PRIu32 ", \"missing\": ", set);
    put_numbers(t, b->missing, b->missing_count);
    put(t, ", \"active\": %" PRIu32 "}\n", active);
    leave(t);
}

void trace_tx(struct trace *t, uint64_t height, const struct view_tx *tx, uint64_t timeout_height,
              enum model_author by)
{
    static const char *const msgs[] = {"other", "join", "pause", "unpause", "activate"};
    static const char *const authors[] = {"agent", "operator", "hostile"};
    if (!enter(t))
        return;
    put(t,
        "{\"type\": \"tx\", \"height\": %" PRIu64 ", \"index\": %" PRIu32
        ", \"validator\": %" PRIu32,
        height, tx->index, tx->validator);
    put(t, ", \"msg\": \"%s\"", msgs[tx->kind]);
    if (tx->kind == TX_JOIN)
        put(t, ", \"class\": %" PRIu32 ", \"charter\": \"%08" PRIx32 "\"", tx->class_minutes,
            tx->charter);
    put(t,
        ", \"code\": %" PRIu32 ", \"codespace\": \"%s\", \"timeout_height\": %" PRIu64
        ", \"by\": \"%s\"}\n",
        tx->code, tx->codespace, timeout_height, authors[by]);
    leave(t);
}

void trace_set(struct trace *t, uint64_t height, const struct model_change *change)
{
    if (!enter(t))
        return;
    put(t,
        "{\"type\": \"set\", \"height\": %" PRIu64 ", \"validator\": %" PRIu32
        ", \"change\": \"%s\", \"why\": \"%s\"}\n",
        height, change->validator, change->enters ? "enter" : "leave", change->why);
    leave(t);
}

void trace_epoch(struct trace *t, const struct draw *d)
{
    if (!enter(t))
        return;
    put(t,
        "{\"type\": \"epoch\", \"epoch\": %" PRIu64 ", \"members\": %" PRId64
        ", \"live\": %" PRId64,
        d->epoch.n, d->members, d->live);
    put(t, ", \"candidates\": %" PRIu32 ", \"used_up\": %" PRIu32 ", \"foreign\": %" PRId64,
        d->candidates, d->used_up, d->foreign);
    put(t,
        ", \"reference\": %" PRId64 ", \"floor\": %" PRId64 ", \"budget\": %" PRId64
        ", \"permits\": ",
        d->reference, d->floor, d->budget);
    put_numbers(t, d->order, d->permits);
    put(t, "}\n");
    leave(t);
}

void trace_host(struct trace *t, int64_t time_ms, uint32_t validator, bool up, bool fault)
{
    if (!enter(t))
        return;
    put(t,
        "{\"type\": \"host\", \"time_ms\": %" PRId64 ", \"validator\": %" PRIu32
        ", \"state\": \"%s\", \"fault\": %s}\n",
        time_ms, validator, up ? "up" : "down", fault ? "true" : "false");
    leave(t);
}

void trace_say(struct trace *t, int64_t time_ms, uint32_t validator, const char *text)
{
    if (!enter(t))
        return;
    put(t, "{\"type\": \"say\", \"time_ms\": %" PRId64 ", \"validator\": %" PRIu32 ", \"text\": ",
        time_ms, validator);
    put_string(t, text);
    put(t, "}\n");
    leave(t);
}
