/* A life that a journal is told, and what it must know afterwards.
 *
 * Memory number i is one that only i makes; so is transaction i. `synced` is the number of the latest that was durable
 * when journal_sync() returned true, `appended` the latest that was appended at all: what is found after a crash must
 * be one of those between, and be it wholly.
 */
#ifndef STAGGER_TESTS_JOURNAL_LIFE_H
#define STAGGER_TESTS_JOURNAL_LIFE_H

#include "node/journal.h"
#include "tests/journal_sim.h"

#define LIFE_OWNER "story-1 0000000000000000000000000000000000000000"
#define LIFE_VALIDATORS 5

struct life_marks {
    uint64_t memory, sent, block;
};

struct life {
    struct sim *sim;
    struct journal_disk disk;
    struct journal *journal;
    struct journal_found found;
    struct view *view;
    struct view_config config;
    struct coord core;
    struct coord_policy policy;
    struct life_marks appended, synced;
    bool ever; /* some memory has ever been durable */
};

void life_begin(struct life *life, struct sim *sim);
void life_end(struct life *life);

/* The process dies: nothing more is written. */
void life_drop(struct life *life);

/* Opens, and checks what was found against the marks; the view comes from the journal or begins at block 1. False when
 * the disk did not let it. */
bool life_open(struct life *life);
bool life_open_expecting(struct life *life, enum coord_journal kind);

void life_memory(struct life *life);
void life_sent(struct life *life, bool none);
void life_block(struct life *life);
bool life_sync(struct life *life);
bool life_rotate(struct life *life);

/* Twenty steps of all kinds, or as many as the disk lets happen. False: it died. */
bool life_steps(struct life *life);

struct coord_memory life_memory_of(uint64_t number);

#endif
