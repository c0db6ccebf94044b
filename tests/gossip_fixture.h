/* One instance of gossip and a hand to write frames with. */
#ifndef STAGGER_TESTS_GOSSIP_FIXTURE_H
#define STAGGER_TESTS_GOSSIP_FIXTURE_H

#include "tests/gossip_world.h"

#define MEMBERS 4
#define HELLO 1
#define RECORDS 2
#define DIGEST 3
#define LIST 4
#define WANT 5
#define PROOF 6
#define BYE 7
#define REFUSE 127

struct fixture {
    struct record_network network;
    struct world_keys keys[MEMBERS + 1]; /* the last is no member */
    struct gossip_member members[MEMBERS];
    struct gossip *g; /* of member 0 */
    int64_t now_ms;
    uint8_t frame[2 * GOSSIP_FRAME_MAX];
    size_t size;
};

/* Instance of a member that knows all four. */
struct gossip *fixture_create(struct fixture *f, uint32_t member, uint64_t sequence);

/* Setup and teardown of a test: instance 0 of four members, and a fifth validator that is none. */
int fixture_begin(void **state);
int fixture_end(void **state);
struct instant fixture_at(const struct fixture *f);

/* Writing a frame into f->frame. */
void fixture_head(struct fixture *f, uint8_t kind);
void fixture_add(struct fixture *f, const void *bytes, size_t size);
void fixture_add_number(struct fixture *f, uint64_t value, size_t size);
size_t fixture_seal(const struct fixture *f, uint32_t who, uint64_t sequence, uint64_t expected_ms,
                    uint8_t bytes[RECORD_MAX]);
void fixture_add_record(struct fixture *f, uint32_t who, uint64_t sequence, uint64_t expected_ms);
void fixture_make_hello(struct fixture *f, uint32_t who);

/* Handing it to the instance. */
void fixture_receive(struct fixture *f, uint32_t peer);

/* A connection that has greeted as this validator. */
uint32_t fixture_connect_as(struct fixture *f, uint32_t who);
void fixture_receive_record(struct fixture *f, uint32_t peer, uint32_t who, uint64_t sequence,
                            uint64_t expected_ms);
struct gossip_entry fixture_entry(const struct fixture *f, uint32_t who);

/* The sequence number that is known of a validator; 0 for none and for a void one. */
uint64_t fixture_known(const struct fixture *f, uint32_t who);

/* Whether this peer is the first to be dropped. */
bool fixture_dropped(struct fixture *f, uint32_t peer);

/* The next frame of this kind for the peer, in f->frame, others thrown away; false when there is none. */
bool fixture_said(struct fixture *f, uint32_t peer, uint8_t kind);

/* Lets time pass, with a tick at its end. */
void fixture_pass(struct fixture *f, int64_t ms);

#endif
