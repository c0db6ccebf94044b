#include "node/journal_code.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_VERSION 1
#define VARINT_MAX 10
#define HEADROOM 256 /* the least that a buffer grows by */

/* --- the elements --- */

struct code code_read(const uint8_t *bytes, size_t size)
{
    return (struct code){.reading = true, .from = bytes, .size = size};
}

bool code_finished(const struct code *code)
{
    return !code->bad && code->at == code->size;
}

void code_end(struct code *code)
{
    free(code->into);
    *code = (struct code){.bad = true};
}

static bool make_room(struct code *code, size_t size)
{
    if (code->bad || code->size - code->at >= size)
        return !code->bad;
    size_t room = 2 * code->size + size + HEADROOM;
    uint8_t *into = realloc(code->into, room);
    if (!into) {
        code->bad = true;
        return false;
    }
    code->into = into;
    code->size = room;
    return true;
}

void code_bytes(struct code *code, void *bytes, size_t size)
{
    if (!code->reading) {
        if (size > 0 && make_room(code, size)) {
            memcpy(code->into + code->at, bytes, size);
            code->at += size;
        }
        return;
    }
    if (code->bad || code->size - code->at < size) {
        code->bad = true;
        memset(bytes, 0, size);
    } else if (size > 0) {
        memcpy(bytes, code->from + code->at, size);
        code->at += size;
    }
}

static void write_number(struct code *code, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    size_t size = 0;
    for (; value >= 128; value >>= 7)
        bytes[size++] = (uint8_t)(value | 128);
    bytes[size++] = (uint8_t)value;
    code_bytes(code, bytes, size);
}

static uint64_t read_number(struct code *code)
{
    uint64_t value = 0;
    uint8_t byte;
    for (unsigned shift = 0;; shift += 7) {
        code_bytes(code, &byte, 1);
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            /* one number, one form: no zero at the end, no bits beyond the 64th */
            code->bad |= (shift > 0 && byte == 0) || (shift == 63 && byte > 1);
            return code->bad ? 0 : value;
        }
        if (shift == 63) {
            code->bad = true;
            return 0;
        }
    }
}

uint64_t code_number(struct code *code, uint64_t value)
{
    if (code->reading)
        return read_number(code);
    write_number(code, value);
    return value;
}

int64_t code_signed(struct code *code, int64_t value)
{
    uint64_t folded = value < 0 ? ~((uint64_t)value << 1) : (uint64_t)value << 1;
    folded = code_number(code, folded);
    uint64_t half = folded >> 1;
    return folded & 1 ? -1 - (int64_t)half : (int64_t)half;
}

uint32_t code_small(struct code *code, uint32_t value)
{
    uint64_t number = code_number(code, value);
    if (number > UINT32_MAX) {
        code->bad = true;
        number = 0;
    }
    return (uint32_t)number;
}

uint32_t code_choice(struct code *code, uint32_t value, uint32_t count)
{
    uint32_t choice = code_small(code, value);
    if (choice >= count) {
        code->bad = true;
        choice = 0;
    }
    return choice;
}

bool code_flag(struct code *code, bool value)
{
    return code_choice(code, value, 2) == 1;
}

void code_text(struct code *code, char *text, size_t room)
{
    size_t length = code->reading ? 0 : strlen(text);
    length = code_choice(code, (uint32_t)length, (uint32_t)room);
    code_bytes(code, text, length);
    if (!code->reading)
        return;
    text[length] = '\0';
    if (strlen(text) != length) {
        code->bad = true;
        text[0] = '\0';
    }
}

static struct height code_height(struct code *code, struct height height)
{
    return height_at(code_number(code, height.n));
}

static struct instant code_instant(struct code *code, struct instant instant)
{
    return (struct instant){code_signed(code, instant.ms)};
}

/* --- the member --- */

static void code_flight(struct code *code, struct coord_flight *flight)
{
    flight->kind = (enum tx_kind)code_choice(code, flight->kind, TX_ACTIVATE + 1);
    flight->refused = code_flag(code, flight->refused);
    flight->twice = code_flag(code, flight->twice);
    flight->timeout = code_height(code, flight->timeout);
}

void code_memory(struct code *code, struct coord_memory *m)
{
    if (code_number(code, MEMORY_VERSION) != MEMORY_VERSION)
        code->bad = true;
    m->state = (enum coord_state)code_choice(code, m->state, COORD_STATE_COUNT);
    m->errand = (enum coord_errand)code_choice(code, m->errand, ERRAND_MAINTENANCE + 1);
    m->step = (enum coord_step_kind)code_choice(code, m->step, STEP_RESTORE + 1);
    code_flight(code, &m->flight);
    m->pause = code_height(code, m->pause);
    m->membership = code_height(code, m->membership);
    m->entered = code_height(code, m->entered);
    m->expected_ms = code_signed(code, m->expected_ms);
    m->later_ms = code_signed(code, m->later_ms);
    m->attempts = code_small(code, m->attempts);
    m->forced = code_flag(code, m->forced);
    m->held = code_flag(code, m->held);
    m->failed = code_flag(code, m->failed);
    m->lost = code_flag(code, m->lost);
    m->frozen = code_flag(code, m->frozen);
    m->pardoned = code_small(code, m->pardoned);
    m->frozen_since = code_height(code, m->frozen_since);
}

static int32_t code_minute(struct code *code, int32_t minute)
{
    int64_t value = code_signed(code, minute);
    code->bad |= value < INT32_MIN || value > INT32_MAX;
    return code->bad ? 0 : (int32_t)value;
}

void code_policy(struct code *code, struct coord_policy *p)
{
    p->own_floor = code_signed(code, p->own_floor);
    p->max_offline = code_signed(code, p->max_offline);
    p->freeze = code_signed(code, p->freeze);
    p->window_margin_ms = code_signed(code, p->window_margin_ms);
    p->domain_max = code_small(code, p->domain_max);
    p->failures_max = code_small(code, p->failures_max);
    p->hours_from_min = code_minute(code, p->hours_from_min);
    p->hours_to_min = code_minute(code, p->hours_to_min);
    p->attempts_max = code_small(code, p->attempts_max);
    p->retry_ms = code_signed(code, p->retry_ms);
    p->still_ms = code_signed(code, p->still_ms);
}

static void code_self(struct code *code, struct coord_self *s)
{
    s->known = code_flag(code, s->known);
    s->status = (enum coord_status)code_choice(code, s->status, COORD_JAILED + 1);
    s->by_trustees = code_flag(code, s->by_trustees);
    s->funded = code_flag(code, s->funded);
    s->inactive_until = code_instant(code, s->inactive_until);
}

static void code_node(struct code *code, struct coord_node *n)
{
    n->known = code_flag(code, n->known);
    n->reachable = code_flag(code, n->reachable);
    n->catching_up = code_flag(code, n->catching_up);
    n->key_matches = code_flag(code, n->key_matches);
    n->lag = code_number(code, n->lag);
    n->new_blocks = code_small(code, n->new_blocks);
}

static void code_plan(struct code *code, struct coord_plan *p)
{
    p->pending = code_flag(code, p->pending);
    p->voted_yes = code_flag(code, p->voted_yes);
    p->upgrade_time = code_instant(code, p->upgrade_time);
}

static void code_peers(struct code *code, struct coord_peers *p)
{
    p->known = code_flag(code, p->known);
    p->conflict = code_flag(code, p->conflict);
    p->head = code_height(code, p->head);
    p->failures = code_small(code, p->failures);
    p->domain_out = code_small(code, p->domain_out);
}

void code_core(struct code *code, struct coord *c)
{
    c->self = code_small(code, c->self);
    code_memory(code, &c->memory);
    code_node(code, &c->node);
    code_self(code, &c->own);
    code_plan(code, &c->plan);
    code_peers(code, &c->peers);
    c->head = code_height(code, c->head);
    c->head_time = code_instant(code, c->head_time);
    c->head_seen = code_instant(code, c->head_seen);
    c->woke = code_height(code, c->woke);
    c->decided = code_height(code, c->decided);
    c->stood = code_height(code, c->stood);
    c->permit = code_height(code, c->permit);
    c->asked = code_height(code, c->asked);
    c->nudged = code_height(code, c->nudged);
    c->signing = code_height(code, c->signing);
    c->retry = code_instant(code, c->retry);
    c->again = code_instant(code, c->again);
    c->told = (enum coord_reason)code_choice(code, c->told, REASON_COUNT);
    c->thinned = code_small(code, c->thinned);
    c->blank = code_height(code, c->blank);
    c->recovering = code_flag(code, c->recovering);
    c->store_broken = code_flag(code, c->store_broken);
}

/* --- events --- */

static void code_start(struct code *code, struct coord_event *e)
{
    e->start.journal = (enum coord_journal)code_choice(code, e->start.journal, JOURNAL_DAMAGED + 1);
    if (e->start.journal == JOURNAL_KEPT)
        code_memory(code, &e->start.memory);
}

static void code_included(struct code *code, struct coord_event *e)
{
    e->included.tx = (enum tx_kind)code_choice(code, e->included.tx, TX_ACTIVATE + 1);
    e->included.height = code_height(code, e->included.height);
    e->included.code = code_small(code, e->included.code);
    e->included.happened = code_flag(code, e->included.happened);
}

static void code_refused(struct code *code, struct coord_event *e)
{
    e->refused.tx = (enum tx_kind)code_choice(code, e->refused.tx, TX_ACTIVATE + 1);
    e->refused.code = code_small(code, e->refused.code);
}

static void code_runtime(struct code *code, struct coord_event *e)
{
    e->runtime.step = (enum coord_step_kind)code_choice(code, e->runtime.step, STEP_RESTORE + 1);
    e->runtime.ok = code_flag(code, e->runtime.ok);
}

static void code_operator(struct code *code, struct coord_event *e)
{
    e->operator.command =(enum coord_command) code_choice(code, e->operator.command, COMMAND_COUNT);
    e->operator.expected_ms = code_signed(code, e->operator.expected_ms);
}

void code_event(struct code *code, struct coord_event *e)
{
    e->kind = (enum coord_event_kind)code_choice(code, e->kind, EVENT_KIND_COUNT);
    e->now = code_instant(code, e->now);
    if (e->kind == EVENT_START)
        code_start(code, e);
    else if (e->kind == EVENT_BLOCK)
        e->block = code_height(code, e->block);
    else if (e->kind == EVENT_INCLUDED)
        code_included(code, e);
    else if (e->kind == EVENT_REFUSED)
        code_refused(code, e);
    else if (e->kind == EVENT_SELF)
        code_self(code, &e->own);
    else if (e->kind == EVENT_NODE)
        code_node(code, &e->node);
    else if (e->kind == EVENT_RUNTIME)
        code_runtime(code, e);
    else if (e->kind == EVENT_OPERATOR)
        code_operator(code, e);
    else if (e->kind == EVENT_PLAN)
        code_plan(code, &e->plan);
    else if (e->kind == EVENT_PEERS)
        code_peers(code, &e->peers);
    else if (e->kind == EVENT_STORE)
        e->store_works = code_flag(code, e->store_works);
}

/* --- effects --- */

static void code_effect(struct code *code, struct coord_effect *e)
{
    code_number(code, e->kind);
    if (e->kind == EFFECT_SEND) {
        code_number(code, e->send.tx);
        code_height(code, e->send.timeout);
        code_number(code, e->send.class_minutes);
        code_number(code, e->send.charter);
    } else if (e->kind == EFFECT_RUNTIME) {
        code_number(code, e->step);
    } else if (e->kind == EFFECT_SAY) {
        code_number(code, e->say.level);
        code_number(code, e->say.line);
        code_number(code, e->say.reason);
        for (size_t i = 0; i < sizeof e->say.number / sizeof *e->say.number; i++)
            code_signed(code, e->say.number[i]);
    }
}

uint64_t code_digest(struct digest *digest, const struct coord_effects *effects,
                     const struct coord *core)
{
    struct code code = {0};
    struct coord_effects copy = *effects;
    struct coord_memory memory = *coord_memory(core);
    code_number(&code, effects->count);
    for (uint32_t i = 0; i < effects->count; i++)
        code_effect(&code, &copy.list[i]);
    code_memory(&code, &memory);
    uint8_t hash[HASH_SIZE];
    const struct digest_piece piece = {code.into, code.bad ? 0 : code.at};
    digest_sha256(digest, &piece, 1, hash);
    code_end(&code);
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)hash[i] << 8 * i;
    return value;
}

/* --- the view --- */

static void code_charter(struct code *code, struct charter *c)
{
    code_text(code, c->chain_id, sizeof c->chain_id);
    c->min_validators = code_number(code, c->min_validators);
    c->epoch_blocks = code_small(code, c->epoch_blocks);
    c->live_blocks = code_small(code, c->live_blocks);
    c->round_blocks = code_small(code, c->round_blocks);
    c->joins_max = code_small(code, c->joins_max);
    c->reference_blocks = code_number(code, c->reference_blocks);
    c->phi_num = code_small(code, c->phi_num);
    c->phi_den = code_small(code, c->phi_den);
    c->reserve = code_signed(code, c->reserve);
    c->order = (enum draw_order)code_choice(code, c->order, ORDER_PLAIN + 1);
    c->ramp = code_flag(code, c->ramp);
    c->ramp_a = code_small(code, c->ramp_a);
    c->ramp_b = code_small(code, c->ramp_b);
    c->settle_blocks = code_small(code, c->settle_blocks);
    c->id = code_small(code, c->id);
}

void code_config(struct code *code, struct view_config *config)
{
    code_charter(code, &config->charter);
    config->chain = (enum chain_kind)code_choice(code, config->chain, CHAIN_DCL + 1);
    config->empty_blocks = code_flag(code, config->empty_blocks);
    config->capacity = code_choice(code, config->capacity, VIEW_VALIDATORS_MAX + 1);
}

/* Of codespaces only these two mean something to the view. */
static const char *const codespaces[] = {"", "staking", "validator", "other"};
#define CODESPACES (sizeof codespaces / sizeof *codespaces)

static const char *code_codespace(struct code *code, const char *name)
{
    uint32_t choice = CODESPACES - 1;
    for (uint32_t i = 0; !code->reading && i < CODESPACES; i++)
        if (strcmp(name, codespaces[i]) == 0)
            choice = i;
    return codespaces[code_choice(code, choice, CODESPACES)];
}

static void code_tx(struct code *code, struct view_tx *tx, bool results)
{
    tx->validator = code_small(code, tx->validator);
    tx->kind = (enum tx_kind)code_choice(code, tx->kind, TX_ACTIVATE + 1);
    tx->index = code_small(code, tx->index);
    if (tx->kind == TX_JOIN) {
        tx->class_minutes = code_choice(code, tx->class_minutes, CLASS_MAX + 1);
        tx->charter = code_small(code, tx->charter);
    }
    if (code->reading)
        tx->codespace = "";
    if (results) {
        tx->code = code_small(code, tx->code);
        tx->codespace = code_codespace(code, tx->codespace);
    }
}

/* A join of a foreign charter may ask for anything; what the view makes of it does not depend on that. */
void code_write_txs(struct code *code, const struct view_tx *txs, uint32_t count, bool results)
{
    code_number(code, count);
    for (uint32_t i = 0; i < count; i++) {
        struct view_tx tx = txs[i];
        tx.class_minutes = tx.class_minutes > CLASS_MAX ? CLASS_MAX : tx.class_minutes;
        code_tx(code, &tx, results);
    }
}

void code_read_tx(struct code *code, struct view_tx *tx, bool results)
{
    *tx = (struct view_tx){.codespace = ""};
    code_tx(code, tx, results);
}
