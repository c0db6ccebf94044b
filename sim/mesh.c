#include "sim/mesh.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/record_internal.h"
#include "sim/mesh_internal.h"

#define SERIAL 1700000000 /* of all bindings; any will do */
#define HIDDEN_EVERY 5
#define SEEDS 3
#define NETWORK "simulated" /* there is one only, and a genesis may name it as it likes */
#define PREFIX "sim"        /* of account addresses, which nobody sees */
#define PORT 26600

/* --- keys --- */

static void derive(const struct mesh *m, const char *what, uint64_t number, uint8_t out[HASH_SIZE])
{
    uint8_t numbers[16];
    store_number(numbers, m->seed, 8);
    store_number(numbers + 8, number, 8);
    const struct digest_piece pieces[] = {
        {"stagger/sim/gossip/1", 20}, {what, strlen(what)}, {numbers, sizeof numbers}};
    digest_sha256(m->digest, pieces, sizeof pieces / sizeof *pieces, out);
}

static void make_keys(struct mesh *m, uint32_t s, const uint8_t address[ADDRESS_SIZE])
{
    struct speaker *speaker = &m->speakers[s];
    struct record_binding *binding = &speaker->binding;
    uint8_t account[ACCOUNT_KEY_SIZE];
    derive(m, "account", s, account);
    account[0] &= 0x7f; /* below the order of the group */
    derive(m, "identity", s, speaker->identity);
    derive(m, "curve", s, binding->curve);
    memcpy(binding->validator, address, ADDRESS_SIZE);
    binding->serial = SERIAL;
    record_identity(speaker->identity, binding->identity);
    bool bound = record_bind(&m->network, binding, account);
    assert(bound);
}

static bool is_hidden(uint32_t s)
{
    return s % HIDDEN_EVERY == HIDDEN_EVERY - 1;
}

static void make_speaker(struct mesh *m, uint32_t s, const uint8_t address[ADDRESS_SIZE])
{
    struct speaker *speaker = &m->speakers[s];
    make_keys(m, s, address);
    memcpy(speaker->at.curve, speaker->binding.curve, RECORD_KEY_SIZE);
    if (is_hidden(s))
        return;
    snprintf(speaker->at.endpoint, sizeof speaker->at.endpoint, "tcp://agent.example:%u", PORT + s);
    if (m->seed_count < SEEDS)
        m->seeds[m->seed_count++] = speaker->at;
}

/* --- life --- */

static bool take_memory(struct mesh *m)
{
    m->digest = digest_create();
    m->pool = gossip_pool_create(&m->network);
    m->speakers = calloc((size_t)m->count + 1, sizeof *m->speakers);
    m->members = calloc(1, sizeof *m->members);
    return m->digest && m->pool && m->speakers && m->members;
}

struct mesh *mesh_create(const struct mesh_config *config)
{
    struct fault fault;
    struct mesh *m = calloc(1, sizeof *m);
    assert(config->speakers <= MESH_SPEAKERS_MAX);
    if (!m)
        return NULL;
    m->world = config->world;
    m->charter = config->charter;
    m->seed = config->seed;
    m->random = random_stream(config->seed, 0, 0);
    m->count = config->speakers;
    bool set = record_network_set(&m->network, NETWORK, PREFIX, &fault);
    assert(set);
    if (!take_memory(m))
        mesh_destroy(&m);
    for (uint32_t s = 0; m && s < m->count; s++)
        make_speaker(m, s, config->addresses[s]);
    return m;
}

void mesh_destroy(struct mesh **mesh)
{
    struct mesh *m = *mesh;
    if (!m)
        return;
    for (uint32_t s = 0; m->speakers && s < m->count; s++)
        gossip_destroy(&m->speakers[s].gossip);
    gossip_pool_destroy(&m->pool);
    digest_destroy(&m->digest);
    link_clear(m);
    free(m->members);
    free(m->speakers);
    free(m);
    *mesh = NULL;
}

static void allow(struct mesh *m, uint32_t s)
{
    struct instant now = m->world.clock(m->world.context, s);
    bool allowed = gossip_allow(m->speakers[s].gossip, m->members, m->member_count, now);
    assert(allowed);
}

static void name_account(const struct mesh *m, struct gossip_member *member)
{
    uint8_t hash[HASH_SIZE];
    const struct digest_piece piece = {member->address, ADDRESS_SIZE};
    for (uint32_t s = 0; s < m->count; s++)
        if (memcmp(m->speakers[s].binding.validator, member->address, ADDRESS_SIZE) == 0) {
            account_address(m->speakers[s].binding.account, member->account);
            return;
        }
    digest_sha256(m->digest, &piece, 1, hash); /* nobody has its key */
    memcpy(member->account, hash, ACCOUNT_ADDRESS_SIZE);
}

void mesh_allow(struct mesh *m, const uint8_t (*addresses)[ADDRESS_SIZE], uint32_t count)
{
    struct gossip_member *members = calloc((size_t)count + 1, sizeof *members);
    assert(members);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(members[i].address, addresses[i], ADDRESS_SIZE);
        name_account(m, &members[i]);
    }
    free(m->members);
    m->members = members;
    m->member_count = count;
    for (uint32_t s = 0; s < m->count; s++)
        if (m->speakers[s].gossip) {
            allow(m, s);
            link_follow(m, s);
        }
}

void mesh_start(struct mesh *m, uint32_t s, bool journal)
{
    struct speaker *speaker = &m->speakers[s];
    struct fault fault;
    if (speaker->gossip)
        return;
    if (!journal && speaker->said > 0) {
        speaker->sequence = 0;
        speaker->forgetful = true;
    }
    struct gossip_config config = {.network = m->network,
                                   .charter = m->charter,
                                   .binding = speaker->binding,
                                   .sequence = speaker->sequence,
                                   .seeds = m->seeds,
                                   .seed_count = m->seed_count,
                                   .random_seed = m->seed + speaker->token * MESH_SPEAKERS_MAX + s,
                                   .pool = m->pool,
                                   .digest_ms = MESH_DIGEST_MS};
    memcpy(config.identity, speaker->identity, sizeof config.identity);
    speaker->gossip = gossip_create(&config, m->world.clock(m->world.context, s), &fault);
    assert(speaker->gossip); /* the binding is our own */
    speaker->wake = (struct instant){INT64_MAX};
    link_begin(speaker);
    allow(m, s);
    link_follow(m, s);
}

void mesh_stop(struct mesh *m, uint32_t s)
{
    struct speaker *speaker = &m->speakers[s];
    if (!speaker->gossip)
        return;
    link_end_all(m, s);
    gossip_destroy(&speaker->gossip);
    speaker->token++;
}

/* --- what is said and thought --- */

void mesh_say(struct mesh *m, uint32_t s, const struct mesh_news *news)
{
    struct speaker *speaker = &m->speakers[s];
    struct fault fault;
    struct record r = {.charter = news->charter,
                       .phase = news->phase,
                       .expected_ms = news->expected_ms > 0 ? (uint64_t)news->expected_ms : 0,
                       .failure = news->failed ? RECORD_FAILURE_NODE : RECORD_FAILURE_NONE,
                       .head = news->head,
                       .endpoint_count = !is_hidden(s)};
    if (!speaker->gossip)
        return;
    memcpy(r.head_hash, news->hash, HASH_SIZE);
    memcpy(r.endpoints[0], speaker->at.endpoint, sizeof r.endpoints[0]);
    uint64_t sequence = speaker->sequence;
    (void)gossip_own(speaker->gossip, &r, m->world.clock(m->world.context, s), &sequence, &fault);
    speaker->sequence = sequence;
    speaker->said = sequence > speaker->said ? sequence : speaker->said;
    link_follow(m, s);
}

struct coord_peers mesh_opinion(const struct mesh *m, uint32_t s,
                                bool (*hash_at)(void *context, struct height height,
                                                uint8_t hash[HASH_SIZE]),
                                void *context)
{
    const struct gossip *g = m->speakers[s].gossip;
    return g ? gossip_opinion(g, hash_at, context) : (struct coord_peers){.known = false};
}

/* --- questions --- */

struct held {
    bool known, is_void;
    uint64_t sequence;
};

/* What an instance holds of a speaker. */
static struct held held_of(const struct mesh *m, const struct gossip *g, uint32_t about)
{
    struct record_peek peek;
    struct fault fault;
    struct held held = {.known = false};
    uint32_t member = gossip_find(g, m->speakers[about].binding.validator);
    if (member == VALIDATOR_NONE)
        return held;
    struct gossip_entry entry = gossip_entry(g, member);
    if (!entry.known)
        return held;
    bool genuine = record_peek(entry.record, entry.record_size, &peek, &fault);
    assert(genuine);
    return (struct held){true, entry.is_void, peek.sequence};
}

bool mesh_sound(const struct mesh *m, uint32_t *holder, uint32_t *about)
{
    for (uint32_t s = 0; s < m->count; s++)
        for (uint32_t i = 0; m->speakers[s].gossip && i < m->count; i++) {
            const struct speaker *of = &m->speakers[i];
            struct held held = held_of(m, m->speakers[s].gossip, i);
            bool forged = held.sequence > of->said || (held.is_void && !of->forgetful);
            if (of->bad || !forged)
                continue;
            *holder = s;
            *about = i;
            return false;
        }
    return true;
}

struct mesh_count mesh_heard(const struct mesh *m, uint32_t about)
{
    struct mesh_count count = {0};
    for (uint32_t s = 0; s < m->count; s++) {
        const struct gossip *g = m->speakers[s].gossip;
        if (!g)
            continue;
        struct held held = held_of(m, g, about);
        count.up++;
        count.current += held.known && !held.is_void && held.sequence == m->speakers[about].said;
        count.voids += held.is_void;
        count.barred += (uint32_t)gossip_stats(g).frames_bad;
    }
    return count;
}
