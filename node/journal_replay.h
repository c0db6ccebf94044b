/* What an agent did, once more: the journal's events through the core, on the view that the journal's blocks make.
 *
 *     CONFIG, BEGIN, BLOCK ... --> view --+
 *     CORE -----------------> core        |
 *     EVENT ----------------> coord_step(core, event + view) --> effects --> their digest = the recorded one ?
 *
 * A core that decides anything else than the agent did, be it because the program changed, a record is not what was
 * recorded, or the agent is not as pure as it claims, is found at the first step where it does. The file may belong to
 * an agent that runs: what it has not finished writing is left out.
 */
#ifndef STAGGER_NODE_JOURNAL_REPLAY_H
#define STAGGER_NODE_JOURNAL_REPLAY_H

#include "node/journal.h"

/* Where in the file something stands. */
struct replay_place {
    uint64_t record, offset;
};

struct replay_step {
    struct replay_place place;
    const struct coord_event *event;
    const struct coord *core; /* behind the step */
    enum coord_state before;
    const struct coord_effects *effects;
    bool same; /* as recorded */
};

struct replay_opening {
    struct replay_place place;
    struct instant now;
    bool rotated; /* the run goes on from an earlier file */
    enum coord_journal kind;
};

struct replay_note {
    struct replay_place place;
    struct instant now;
    enum journal_note kind;
    const char *text;
};

struct replay_sent {
    struct replay_place place;
    enum tx_kind tx;
    const struct chain_sent *sent; /* NULL: nothing is on its way any more */
};

/* Told in the order of the file; each may be NULL. */
struct replay_listener {
    void *owner;
    void (*opened)(void *owner, const struct replay_opening *opening);
    void (*stepped)(void *owner, const struct replay_step *step);
    void (*noted)(void *owner, const struct replay_note *note);
    void (*sent)(void *owner, const struct replay_sent *sent);
    void (*gap)(void *owner, const struct replay_place *place);
};

enum replay_verdict {
    REPLAY_SAME,
    REPLAY_DIFFERS,    /* text names the record */
    REPLAY_DAMAGED,    /* the file is; what stands before gave the same effects */
    REPLAY_UNREADABLE, /* it cannot be opened or is none */
};

struct replay_result {
    enum replay_verdict verdict;
    uint64_t records, steps, runs, blocks;
    uint64_t torn;      /* bytes at the end that are not complete */
    struct fault fault; /* but for REPLAY_SAME */
    char owner[JOURNAL_OWNER_MAX];
};

void journal_replay(const struct journal_disk *disk, const char *name,
                    const struct replay_listener *listener, struct replay_result *result);

#endif
