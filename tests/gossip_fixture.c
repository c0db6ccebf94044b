#include "tests/gossip_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct gossip *fixture_create(struct fixture *f, uint32_t member, uint64_t sequence)
{
    struct fault fault = {""};
    struct gossip_config config = {.network = f->network,
                                   .charter = 7,
                                   .binding = f->keys[member].binding,
                                   .sequence = sequence,
                                   .random_seed = 1};
    memcpy(config.identity, f->keys[member].identity, RECORD_KEY_SIZE);
    struct gossip *g = gossip_create(&config, (struct instant){f->now_ms}, &fault);
    assert_non_null(g);
    assert_true(gossip_allow(g, f->members, MEMBERS, (struct instant){f->now_ms}));
    return g;
}

int fixture_begin(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct fault fault;
    assert_true(record_network_set(&f->network, "localnet-1", "kira", &fault));
    for (uint32_t i = 0; i <= MEMBERS; i++)
        world_keys_make(&f->network, i, WORLD_SERIAL, &f->keys[i]);
    for (uint32_t i = 0; i < MEMBERS; i++)
        f->members[i] = world_member(&f->network, i);
    f->now_ms = 1700000000000;
    f->g = fixture_create(f, 0, 0);
    *state = f;
    return 0;
}

int fixture_end(void **state)
{
    struct fixture *f = *state;
    gossip_destroy(&f->g);
    free(f);
    return 0;
}

struct instant fixture_at(const struct fixture *f)
{
    return (struct instant){f->now_ms};
}

/* --- what a peer may say --- */

void fixture_head(struct fixture *f, uint8_t kind)
{
    f->frame[0] = GOSSIP_VERSION;
    f->frame[1] = kind;
    f->size = 2;
}

void fixture_add(struct fixture *f, const void *bytes, size_t size)
{
    memcpy(f->frame + f->size, bytes, size);
    f->size += size;
}

void fixture_add_number(struct fixture *f, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        f->frame[f->size++] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

size_t fixture_seal(const struct fixture *f, uint32_t who, uint64_t sequence, uint64_t expected_ms,
                    uint8_t bytes[RECORD_MAX])
{
    const struct record r = {
        .binding = f->keys[who].binding, .sequence = sequence, .expected_ms = expected_ms};
    struct fault fault;
    size_t size = record_seal(&f->network, &r, f->keys[who].identity, bytes, &fault);
    assert_true(size > 0);
    return size;
}

void fixture_add_record(struct fixture *f, uint32_t who, uint64_t sequence, uint64_t expected_ms)
{
    uint8_t bytes[RECORD_MAX];
    fixture_add(f, bytes, fixture_seal(f, who, sequence, expected_ms, bytes));
}

void fixture_make_hello(struct fixture *f, uint32_t who)
{
    uint8_t binding[RECORD_BINDING_SIZE];
    record_binding_encode(&f->keys[who].binding, binding);
    fixture_head(f, HELLO);
    fixture_add_number(f, 0, 1);
    fixture_add(f, f->network.hash, HASH_SIZE);
    fixture_add_number(f, 7, 4);
    fixture_add(f, binding, sizeof binding);
}

void fixture_receive(struct fixture *f, uint32_t peer)
{
    gossip_receive(f->g, peer, f->frame, f->size, fixture_at(f));
}

uint32_t fixture_connect_as(struct fixture *f, uint32_t who)
{
    uint32_t peer = gossip_peer_up(f->g, f->keys[who].binding.curve, false, fixture_at(f));
    assert_int_not_equal(peer, GOSSIP_PEER_NONE);
    fixture_make_hello(f, who);
    fixture_receive(f, peer);
    return peer;
}

void fixture_receive_record(struct fixture *f, uint32_t peer, uint32_t who, uint64_t sequence,
                            uint64_t expected_ms)
{
    fixture_head(f, RECORDS);
    fixture_add_record(f, who, sequence, expected_ms);
    fixture_receive(f, peer);
}

/* --- what is known, what is said --- */

struct gossip_entry fixture_entry(const struct fixture *f, uint32_t who)
{
    return gossip_entry(f->g, gossip_find(f->g, f->keys[who].binding.validator));
}

uint64_t fixture_known(const struct fixture *f, uint32_t who)
{
    struct record r;
    return gossip_record(f->g, gossip_find(f->g, f->keys[who].binding.validator), &r) ? r.sequence
                                                                                      : 0;
}

bool fixture_dropped(struct fixture *f, uint32_t peer)
{
    uint32_t drop;
    bool found = gossip_next_drop(f->g, &drop);
    return found && drop == peer;
}

bool fixture_said(struct fixture *f, uint32_t peer, uint8_t kind)
{
    uint32_t to;
    while (gossip_next_send(f->g, &to, f->frame, &f->size))
        if (to == peer && f->frame[1] == kind)
            return true;
    return false;
}

void fixture_pass(struct fixture *f, int64_t ms)
{
    f->now_ms += ms;
    gossip_tick(f->g, fixture_at(f));
}
