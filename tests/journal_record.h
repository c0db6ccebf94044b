/* Records the life of a member's world (member_world.h) in a journal, as an agent would: the calls that the world makes
 * of the core are wrapped by the linker (--wrap).
 *
 *     record_open(disk)       a journal on it, or the one that is there; found in `recorder.found`
 *     world_open(&w, NULL); world_start(&w, JOURNAL_NONE); ...
 *     record_close()
 */
#ifndef STAGGER_TESTS_JOURNAL_RECORD_H
#define STAGGER_TESTS_JOURNAL_RECORD_H

#include "node/journal.h"
#include "tests/member_world.h"

#define RECORD_OWNER "story-1 0101010101010101010101010101010101010101"

struct recorder {
    struct journal *journal;
    struct journal_found found;
    const struct view *view; /* whose blocks are recorded: the first that begins */
    uint64_t events, syncs;
    uint64_t falsify;     /* the effects of this event are recorded wrongly; 0: of none */
    bool falsify_say;     /* in a number of a sentence, not in how many there are */
    bool rotate_at_turns; /* written anew at each change of state */
};

extern struct recorder recorder;

void record_open(const struct journal_disk *disk, int64_t now_ms);
void record_close(void);

/* A whole turn: a reboot with a failed step, a restart of the agent in the middle, a change of the charter. */
void record_turn(struct member_world *w, const struct journal_disk *disk);

#endif
