/* A disk for the journal's tests, as bad as disks are allowed to be.
 *
 *     sim_disk(&sim)          a struct journal_disk on it
 *     sim.die_at = 7          the process dies within operation number 7; nothing works until sim_restart()
 *     sim_restart(&sim, true) power was lost: of what was not synced, any part may be there, in any order, torn;
 *                             blocks of 4 KB that were being written may be lost as a whole
 *     sim_restart(&sim, false) only the process died
 *     sim.room = 100          the disk takes so many bytes more
 *     sim.sync_fails = 1      one sync fails, and what it should have written counts as written from then on
 *
 * Chance comes from `seed` alone.
 */
#ifndef STAGGER_TESTS_JOURNAL_SIM_H
#define STAGGER_TESTS_JOURNAL_SIM_H

#include "node/journal_disk.h"

#define SIM_FILES 64
#define SIM_OPEN 16
#define SIM_NAMES 8
#define SIM_WRITES 4096
#define SIM_NAME_OPS 64

struct sim_file {
    uint8_t *now, *durable;
    size_t now_size, durable_size;
};

struct sim_write { /* not synced; data NULL: the file is cut to `offset` */
    uint32_t file;
    uint64_t offset;
    uint8_t *data;
    size_t size;
};

struct sim_name {
    char name[40];
    int file; /* -1: none */
};

struct sim {
    struct sim_file files[SIM_FILES];
    uint32_t file_count;
    struct sim_write writes[SIM_WRITES];
    uint32_t write_count;
    struct sim_name names[SIM_NAMES], durable_names[SIM_NAMES];
    struct sim_name name_ops[SIM_NAME_OPS]; /* in order */
    uint32_t name_op_count;
    int handles[SIM_OPEN]; /* file + 1, 0: closed */
    int locked;            /* handle + 1 */
    uint64_t seed;
    int64_t operations, die_at; /* negative: never */
    bool dead;
    int64_t room; /* negative: no end */
    uint32_t sync_fails;
    uint32_t syncs;
    bool no_links;
    uint64_t stamps;
};

void sim_open(struct sim *sim, uint64_t seed); /* all zero before */
void sim_close(struct sim *sim);
struct journal_disk sim_disk(struct sim *sim);
void sim_restart(struct sim *sim, bool power_lost);

/* The content of a file as it is; NULL: there is none. */
struct sim_file *sim_find(struct sim *sim, const char *name);
/* Puts a file there, durable. */
void sim_put(struct sim *sim, const char *name, const uint8_t *bytes, size_t size);
uint64_t sim_chance(struct sim *sim, uint64_t below);

#endif
