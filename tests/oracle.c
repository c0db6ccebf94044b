#include "tests/oracle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

/* A transaction's message, with its result once that is known. */
struct fact {
    uint64_t height;
    uint32_t index, validator;
    enum tx_kind kind;
    uint32_t class_minutes, charter;
    bool known;  /* the result */
    bool counts; /* a join that counts, a pause that happened */
};

struct page {
    struct instant time;
    uint8_t hash[HASH_SIZE];
    bool missing[ORACLE_VALIDATORS_MAX];
};

/* V(h); 0 for no member. */
struct set {
    int64_t power[ORACLE_VALIDATORS_MAX];
};

struct oracle {
    struct charter charter;
    enum chain_kind chain;
    uint64_t first;
    uint8_t address[ORACLE_VALIDATORS_MAX][ADDRESS_SIZE];
    uint32_t count;     /* of validators */
    struct page *pages; /* of block first + i */
    uint64_t page_count, page_room;
    struct set *sets; /* V(first + i); one more than there are blocks */
    uint64_t set_count, set_room;
    struct fact *facts; /* in the chain's order */
    uint64_t fact_count, fact_room;
};

/* What all blocks before a boundary say of one validator. */
struct life {
    bool joined;
    uint64_t join;
    uint32_t join_index, join_class, join_charter;
    bool paused;
    uint64_t pause;
    uint32_t pause_index;
    bool pause_ends_join; /* that pause followed a join, of this class: */
    uint32_t pause_class;
    uint32_t round_joins, round_pauses;
};

/* One boundary on its way to the answer. */
struct sight {
    const struct oracle *o;
    uint64_t boundary, round;
    const struct set *set; /* V(E+1) */
    bool live[ORACLE_VALIDATORS_MAX];
    bool gone[ORACLE_VALIDATORS_MAX];
    uint64_t permit[ORACLE_VALIDATORS_MAX]; /* latest boundary of this round with a permit; 0 */
    struct life life[ORACLE_VALIDATORS_MAX];
};

struct place {
    uint32_t turns, shortness, validator;
    uint8_t key[HASH_SIZE];
};

static void *grown(void *array, uint64_t *room, uint64_t count, size_t size)
{
    if (count < *room)
        return array;
    *room = *room ? 2 * *room : 64;
    array = realloc(array, (size_t)*room * size);
    if (!array)
        abort();
    return array;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- the history --- */

static void add_set(struct oracle *o, const struct view_change *changes, uint32_t count)
{
    o->sets = grown(o->sets, &o->set_room, o->set_count, sizeof *o->sets);
    struct set *set = &o->sets[o->set_count];
    if (o->set_count)
        *set = o->sets[o->set_count - 1];
    else
        memset(set, 0, sizeof *set);
    for (uint32_t i = 0; i < count; i++) {
        assert(changes[i].validator < ORACLE_VALIDATORS_MAX);
        set->power[changes[i].validator] = changes[i].power;
    }
    o->set_count++;
}

struct oracle *oracle_create(const struct charter *charter, enum chain_kind chain,
                             struct height chain_first, const struct view_change *set,
                             uint32_t count)
{
    struct oracle *o = calloc(1, sizeof *o);
    if (!o)
        abort();
    o->charter = *charter;
    o->chain = chain;
    o->first = chain_first.n;
    add_set(o, set, count);
    return o;
}

void oracle_destroy(struct oracle **oracle)
{
    if (!*oracle)
        return;
    free((*oracle)->pages);
    free((*oracle)->sets);
    free((*oracle)->facts);
    free(*oracle);
    *oracle = NULL;
}

void oracle_enrol(struct oracle *oracle, uint32_t validator, const uint8_t address[ADDRESS_SIZE])
{
    assert(validator < ORACLE_VALIDATORS_MAX);
    memcpy(oracle->address[validator], address, ADDRESS_SIZE);
    if (oracle->count <= validator)
        oracle->count = validator + 1;
}

void oracle_block(struct oracle *oracle, const struct view_block *block)
{
    struct oracle *o = oracle;
    assert(block->height.n == o->first + o->page_count);
    o->pages = grown(o->pages, &o->page_room, o->page_count, sizeof *o->pages);
    struct page *page = &o->pages[o->page_count++];
    memset(page, 0, sizeof *page);
    page->time = block->time;
    memcpy(page->hash, block->hash, HASH_SIZE);
    for (uint32_t i = 0; i < block->missing_count; i++)
        page->missing[block->missing[i]] = true;
    for (uint32_t i = 0; i < block->tx_count; i++) {
        const struct view_tx *tx = &block->txs[i];
        o->facts = grown(o->facts, &o->fact_room, o->fact_count, sizeof *o->facts);
        o->facts[o->fact_count++] = (struct fact){
            .height = block->height.n,
            .index = tx->index,
            .validator = tx->validator,
            .kind = tx->kind,
            .class_minutes = tx->class_minutes,
            .charter = tx->charter,
        };
    }
    add_set(o, block->changes, block->change_count);
}

static bool join_counts(enum chain_kind chain, const struct view_tx *tx)
{
    if (chain == CHAIN_KIRA)
        return tx->code == 0;
    return (tx->code == 4 && strcmp(tx->codespace, "staking") == 0) ||
           (tx->code == 601 && strcmp(tx->codespace, "validator") == 0);
}

void oracle_results(struct oracle *oracle, const struct view_tx *txs, uint32_t count)
{
    struct oracle *o = oracle;
    assert(count <= o->fact_count);
    for (uint32_t i = 0; i < count; i++) {
        struct fact *fact = &o->facts[o->fact_count - count + i];
        assert(!fact->known && fact->height == o->first + o->page_count - 1);
        assert(fact->index == txs[i].index && fact->kind == txs[i].kind);
        fact->known = true;
        fact->counts = fact->kind == TX_JOIN ? join_counts(o->chain, &txs[i]) : txs[i].code == 0;
    }
}

static const struct page *page_of(const struct oracle *o, uint64_t height)
{
    assert(height >= o->first && height - o->first < o->page_count);
    return &o->pages[height - o->first];
}

static const struct set *set_of(const struct oracle *o, uint64_t height)
{
    assert(height >= o->first && height - o->first < o->set_count);
    return &o->sets[height - o->first];
}

bool oracle_in_set(const struct oracle *oracle, uint32_t validator, struct height h)
{
    return set_of(oracle, h.n)->power[validator] > 0;
}

/* The chain's first block has no last commit. */
bool oracle_signed(const struct oracle *oracle, uint32_t validator, struct height h)
{
    if (h.n <= oracle->first)
        return false;
    return set_of(oracle, h.n - 1)->power[validator] > 0 &&
           !page_of(oracle, h.n)->missing[validator];
}

/* --- section 1, word by word --- */

bool oracle_is_drawn(const struct oracle *oracle, struct height boundary)
{
    const struct oracle *o = oracle;
    return boundary.n % o->charter.epoch_blocks == 0 &&
           boundary.n >= o->first + o->charter.live_blocks && boundary.n < o->first + o->page_count;
}

static bool is_gone(const struct oracle *o, uint32_t v, uint64_t height)
{
    for (uint64_t i = o->fact_count; i-- > 0 && o->facts[i].height >= height;)
        if (o->facts[i].height == height && o->facts[i].kind == TX_PAUSE &&
            o->facts[i].validator == v)
            return true;
    return false;
}

static bool is_live(const struct oracle *o, uint32_t v, uint64_t height)
{
    if (!set_of(o, height + 1)->power[v] || is_gone(o, v, height))
        return false;
    for (uint32_t j = 0; j < o->charter.live_blocks && height - j > o->first; j++)
        if (oracle_signed(o, v, height_at(height - j)))
            return true;
    return false;
}

uint32_t oracle_live(const struct oracle *oracle, struct height h)
{
    uint32_t live = 0;
    for (uint32_t v = 0; v < oracle->count; v++)
        live += is_live(oracle, v, h.n);
    return live;
}

static void live_on(struct life *life, const struct fact *fact, uint64_t round)
{
    if (fact->kind == TX_JOIN) {
        life->joined = true;
        life->join = fact->height;
        life->join_index = fact->index;
        life->join_class = fact->class_minutes;
        life->join_charter = fact->charter;
        life->round_joins += fact->height >= round;
    } else if (fact->kind == TX_PAUSE) {
        /* O3 */
        life->pause_ends_join =
            life->joined && (!life->paused || life->join > life->pause ||
                             (life->join == life->pause && life->join_index > life->pause_index));
        life->pause_class = life->join_class;
        life->paused = true;
        life->pause = fact->height;
        life->pause_index = fact->index;
        life->round_pauses += fact->height >= round;
    }
}

/* Everybody's life in the blocks before `end`. */
static void read_lives(const struct oracle *o, uint64_t end, uint64_t round, struct life *lives)
{
    memset(lives, 0, ORACLE_VALIDATORS_MAX * sizeof *lives);
    for (uint64_t i = 0; i < o->fact_count && o->facts[i].height < end; i++)
        if (o->facts[i].counts)
            live_on(&lives[o->facts[i].validator], &o->facts[i], round);
}

static bool paused_since_join(const struct life *life)
{
    return life->paused && (life->pause > life->join ||
                            (life->pause == life->join && life->pause_index > life->join_index));
}

/* "its latest join in blocks [E-Z, E-1]" */
static bool join_remembered(const struct sight *s, const struct life *life)
{
    return life->joined && life->join + FOREIGN_BLOCKS >= s->boundary;
}

static bool is_foreign(const struct sight *s, uint32_t v)
{
    const struct life *life = &s->life[v];
    return s->set->power[v] && join_remembered(s, life) && !paused_since_join(life) &&
           life->join_charter != s->o->charter.id;
}

/* The power with which it last stood in one of the sets that make up the reference; 0 when in none. */
static int64_t reference_power(const struct sight *s, uint32_t v)
{
    const struct oracle *o = s->o;
    for (uint64_t b = s->boundary; b >= o->first; b--) {
        if (b + o->charter.reference_blocks <= s->boundary)
            break;
        if (b % o->charter.epoch_blocks == 0 && set_of(o, b + 1)->power[v])
            return set_of(o, b + 1)->power[v];
    }
    if (o->first + o->charter.reference_blocks > s->boundary)
        return set_of(o, o->first)->power[v];
    return 0;
}

static struct sight *look(const struct oracle *o, uint64_t boundary, const uint64_t *permit)
{
    struct sight *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->o = o;
    s->boundary = boundary;
    s->round = (boundary - 1) / o->charter.round_blocks * o->charter.round_blocks;
    s->set = set_of(o, boundary + 1);
    memcpy(s->permit, permit, sizeof s->permit);
    read_lives(o, boundary, s->round, s->life);
    for (uint32_t v = 0; v < o->count; v++) {
        if (!s->set->power[v])
            continue;
        s->gone[v] = is_gone(o, v, boundary);
        s->live[v] = is_live(o, v, boundary);
    }
    return s;
}

/* --- section 2 --- */

/* The reason of one who is no candidate; VIEW_PERMIT for one who is. */
static enum view_reason judge(const struct sight *s, uint32_t v)
{
    const struct life *life = &s->life[v];
    if (!s->set->power[v])
        return VIEW_NOT_MEMBER;
    if (!join_remembered(s, life))
        return VIEW_NO_JOIN;
    if (paused_since_join(life))
        return VIEW_PAUSED_SINCE;
    if (life->join_charter != s->o->charter.id)
        return VIEW_FOREIGN;
    if (life->join < s->round)
        return VIEW_OLD_ROUND;
    if (life->round_joins > s->o->charter.joins_max)
        return VIEW_TOO_MANY_JOINS;
    if (s->gone[v])
        return VIEW_GONE;
    if (!s->live[v])
        return VIEW_SILENT;
    if (s->permit[v] > life->join)
        return VIEW_USED_UP;
    return VIEW_PERMIT;
}

void oracle_key(const struct charter *charter, struct height boundary,
                const uint8_t hash[HASH_SIZE], const uint8_t address[ADDRESS_SIZE],
                uint8_t key[HASH_SIZE])
{
    uint8_t text[256];
    size_t length = 0;
    memcpy(text, "stagger/draw/1", 14);
    length += 14;
    memcpy(text + length, charter->chain_id, strlen(charter->chain_id));
    length += strlen(charter->chain_id);
    for (int shift = 56; shift >= 0; shift -= 8)
        text[length++] = (uint8_t)(boundary.n >> shift);
    memcpy(text + length, hash, HASH_SIZE);
    length += HASH_SIZE;
    memcpy(text + length, address, ADDRESS_SIZE);
    length += ADDRESS_SIZE;
    SHA256(text, length, key);
}

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->turns != b->turns)
        return a->turns < b->turns ? -1 : 1;
    if (a->shortness != b->shortness)
        return a->shortness < b->shortness ? -1 : 1;
    return memcmp(a->key, b->key, HASH_SIZE);
}

/* O5: with unequal powers, one that would not fit though all of the reference were live. */
static bool too_heavy(const struct oracle *o, const struct oracle_draw *d, int64_t power)
{
    int64_t fixed = o->charter.reserve;
    int64_t reserve = fixed == RESERVE_DEFAULT ? d->reference / 25 : fixed;
    return d->by_power &&
           (power > d->reference - d->floor - reserve || power > d->reference - 3 * reserve - 1);
}

static void order_candidates(const struct sight *s, struct oracle_draw *d)
{
    const struct oracle *o = s->o;
    struct place places[ORACLE_VALIDATORS_MAX];
    for (uint32_t v = 0; v < ORACLE_VALIDATORS_MAX; v++) {
        d->reason[v] = judge(s, v);
        d->rank[v] = UINT32_MAX;
        bool in_line = d->reason[v] == VIEW_PERMIT || d->reason[v] == VIEW_USED_UP;
        if (in_line && too_heavy(o, d, s->set->power[v]))
            d->reason[v] = VIEW_TOO_HEAVY;
        d->used_up += d->reason[v] == VIEW_USED_UP;
        if (d->reason[v] != VIEW_PERMIT)
            continue;
        struct place *p = &places[d->candidates++];
        p->turns = s->life[v].round_pauses;
        p->shortness = o->charter.order == ORDER_LONG_FIRST ? CLASS_MAX - s->life[v].join_class : 0;
        p->validator = v;
        oracle_key(&o->charter, height_at(s->boundary), page_of(o, s->boundary)->hash,
                   o->address[v], p->key);
    }
    qsort(places, d->candidates, sizeof *places, compare_places);
    for (uint32_t i = 0; i < d->candidates; i++) {
        d->order[i] = places[i].validator;
        d->rank[places[i].validator] = i;
    }
}

/* O1 */
static bool powers_differ(const int64_t *reference, uint32_t count)
{
    int64_t one = 0;
    for (uint32_t v = 0; v < count; v++) {
        if (reference[v] && one && reference[v] != one)
            return true;
        if (reference[v])
            one = reference[v];
    }
    return false;
}

static int64_t weigh(const struct oracle_draw *d, int64_t power)
{
    return d->by_power ? power : 1;
}

static void weigh_in(const struct oracle_draw *d, int64_t power, uint32_t *count, int64_t *weight)
{
    *count += power > 0;
    *weight += power > 0 ? weigh(d, power) : 0;
}

/* Counts and weights that do not depend on who is live. */
static void count_members(const struct sight *s, struct oracle_draw *d)
{
    int64_t reference[ORACLE_VALIDATORS_MAX];
    for (uint32_t v = 0; v < s->o->count; v++)
        reference[v] = reference_power(s, v);
    d->by_power = powers_differ(reference, s->o->count);
    for (uint32_t v = 0; v < s->o->count; v++) {
        weigh_in(d, s->set->power[v], &d->member_count, &d->members);
        weigh_in(d, reference[v], &d->reference_count, &d->reference);
        if (is_foreign(s, v))
            weigh_in(d, s->set->power[v], &d->foreign_count, &d->foreign);
    }
}

static void count_live(const struct sight *s, struct oracle_draw *d)
{
    for (uint32_t v = 0; v < s->o->count; v++) {
        if (s->live[v])
            weigh_in(d, s->set->power[v], &d->live_count, &d->live);
        if (s->life[v].round_pauses && s->live[v])
            d->back++;
        else if (s->life[v].round_pauses)
            d->out++;
    }
}

static void compute_budget(const struct charter *c, struct oracle_draw *d)
{
    int64_t n = d->members, f = n - d->live;
    int64_t phi_floor = (int64_t)c->phi_num * d->reference / (int64_t)c->phi_den + 1;
    int64_t ramp = INT64_MAX;
    if (c->ramp)
        ramp = (int64_t)c->ramp_a + (int64_t)c->ramp_b * d->back - (int64_t)d->out;
    d->floor = most((int64_t)c->min_validators, phi_floor);
    d->reserve = c->reserve == RESERVE_DEFAULT ? n / 25 : c->reserve;
    d->terms[TERM_FLOOR] = d->live - d->floor - d->reserve;
    d->terms[TERM_TWO_THIRDS] = n - 3 * (f + d->reserve) - 1;
    d->terms[TERM_RAMP] = d->by_power ? INT64_MAX : ramp;
    int64_t smallest = least(d->terms[0], least(d->terms[1], d->terms[2]));
    d->budget = most(0, smallest - d->foreign);
    d->budget_count = d->budget;
    if (d->by_power) /* O2 */
        d->budget_count = most(0, least(d->live_count - (int64_t)c->min_validators, ramp) -
                                      (int64_t)d->foreign_count);
}

/* How many of the first `limit` in draw order fit into the budget. */
static uint32_t fitting(const struct sight *s, const struct oracle_draw *d, uint32_t limit)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < limit; i++) {
        sum += weigh(d, s->set->power[d->order[i]]);
        if (sum > d->budget || i + 1 > d->budget_count)
            return i;
    }
    return limit;
}

static void hand_out(const struct sight *s, struct oracle_draw *d)
{
    d->permits = fitting(s, d, d->candidates);
    for (uint32_t i = d->permits; i < d->candidates; i++)
        d->reason[d->order[i]] = VIEW_BEYOND_BUDGET;
}

static bool came_back(const struct oracle *o, uint32_t v, uint64_t pause, uint64_t boundary)
{
    for (uint64_t b = boundary; b > pause; b--)
        if (b % o->charter.epoch_blocks == 0 && is_live(o, v, b))
            return true;
    return false;
}

static void count_overdue(const struct sight *s, struct oracle_draw *d)
{
    const struct oracle *o = s->o;
    int64_t now_ms = page_of(o, s->boundary)->time.ms;
    d->overdue_since = HEIGHT_NEVER;
    for (uint32_t v = 0; v < o->count; v++) {
        const struct life *life = &s->life[v];
        if (!life->paused || !life->pause_ends_join)
            continue;
        int64_t passed_ms = now_ms - page_of(o, life->pause)->time.ms;
        if (passed_ms < most(10, 3 * (int64_t)life->pause_class) * 60 * 1000)
            continue;
        if (came_back(o, v, life->pause, s->boundary))
            continue;
        d->overdue++;
        if (life->pause < d->overdue_since.n)
            d->overdue_since = height_at(life->pause);
    }
}

/* The budget once more, with l from the last commit of block E+1 alone (O4). */
static void recheck(const struct sight *s, struct oracle_draw *d)
{
    d->rechecked = s->boundary + 1 < s->o->first + s->o->page_count;
    if (!d->rechecked)
        return;
    struct oracle_draw again = *d;
    again.live = 0;
    again.live_count = 0;
    for (uint32_t v = 0; v < s->o->count; v++) {
        if (!s->set->power[v] || s->gone[v] || !oracle_signed(s->o, v, height_at(s->boundary + 1)))
            continue;
        weigh_in(d, s->set->power[v], &again.live_count, &again.live);
    }
    compute_budget(&s->o->charter, &again);
    d->recheck = fitting(s, &again, d->permits);
}

void oracle_draw(const struct oracle *oracle, struct height boundary, struct oracle_draw *draw)
{
    const struct oracle *o = oracle;
    assert(oracle_is_drawn(o, boundary));
    uint64_t permit[ORACLE_VALIDATORS_MAX] = {0};
    uint64_t round = (boundary.n - 1) / o->charter.round_blocks * o->charter.round_blocks;
    for (uint64_t b = round + 1; b <= boundary.n; b++) {
        if (!oracle_is_drawn(o, height_at(b)))
            continue;
        struct sight *s = look(o, b, permit);
        memset(draw, 0, sizeof *draw);
        count_members(s, draw);
        count_live(s, draw);
        compute_budget(&o->charter, draw);
        order_candidates(s, draw);
        hand_out(s, draw);
        if (b == boundary.n) {
            count_overdue(s, draw);
            recheck(s, draw);
        }
        for (uint32_t i = 0; i < draw->permits; i++)
            permit[draw->order[i]] = b;
        free(s);
    }
}

struct oracle_validator oracle_validator(const struct oracle *oracle, uint32_t validator)
{
    struct life lives[ORACLE_VALIDATORS_MAX];
    uint64_t head = oracle->first + oracle->page_count - 1;
    read_lives(oracle, head + 1, head / oracle->charter.round_blocks * oracle->charter.round_blocks,
               lives);
    const struct life *life = &lives[validator];
    return (struct oracle_validator){
        .join = life->joined ? height_at(life->join) : HEIGHT_NONE,
        .join_index = life->join_index,
        .join_class = life->join_class,
        .join_charter = life->join_charter,
        .pause = life->paused ? height_at(life->pause) : HEIGHT_NONE,
        .pause_index = life->pause_index,
        .joins = life->round_joins,
        .turns = life->round_pauses,
    };
}
