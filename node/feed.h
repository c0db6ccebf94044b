/* The feed: fills a view (coord/view.h) with a network's blocks, and believes nothing that a hash can check.
 *
 *     status of every endpoint --> range of heights --> block, results, V(h+1) of each, a few at once
 *                                                            |
 *              each in its place, ascending                  v
 *     header h   hash = block_id.hash = last_block_id of header h+1;  validators_hash = what header h-1 promised
 *     block h    data_hash, last_commit_hash, evidence_hash;  its last commit is that of the block before
 *     V(h+1)     next_validators_hash of header h
 *     results h  last_results_hash of header h+1
 *     top        its commit holds signatures of more than two thirds of V(top): so everything below is bound
 *                                                            |
 *                     only when all of that holds            v
 *                     view_block(), view_results() of each block, the draws told one by one
 *
 * What is asked. A block always, its results only where it has transactions, V(h+1) only where header h says that it
 * differs from V(h). Where the rule needs nothing but sets (PROTOCOL section 2: the reference size), headers are
 * read twenty at a time. With `thorough` everything is asked for at every height and every commit's signatures are
 * verified, those for nil too.
 *
 * Who is asked. One endpoint is one's own node: its head is the head, and whatever it has is read from it. Blocks that
 * it no longer has come from others. A call that fails goes to the next endpoint; an answer that a hash
 * contradicts as well, and then the endpoint is named by a note and used last from then on. When nobody is left who
 * could answer, the feed ends with a fault that names the height, what is wrong and who said it:
 *
 *     block 57 from http://127.0.0.1:26657: its header does not match block_id.hash (99E026A1 there, FB4D1C7D computed)
 *
 * What no hash binds is believed of one's own node: the codespace of a result (it comes from others only where one's own
 * node has the block no more) and the records.
 *
 * Accounts and consensus addresses are matched as of every block: a record whose claim stands in a block that was
 * read counts from there, every other one from the beginning (records are never removed). That is why blocks are kept
 * until the last one has been read, in a short form: what the view needs, and no more.
 *
 * The head. Results of a block are bound by the header behind it, so they are asked for and given to the view when that
 * has come, just before the view takes the block behind; no draw needs them earlier. Without `follow` those of the top
 * block are not read. Where nobody has the commit of the top block, that is noted: then it stands on the word of one's
 * own node, and what is below on the signatures of its last commit.
 *
 * Following. The head of one's own node is looked at every poll_ms (feed_pace(), feed_look()); all blocks that it has
 * more are read at once, and the signatures of the latest last commit are verified. The others are not
 * asked anything as long as that goes on. Other endpoints lead while one's own node
 *
 *     does not answer for a second, shows less than what has been read, or shows nothing new for three blocks' time
 *     (15 s at most)
 *
 * since the view must go on while a turn has stopped the node: floor, freeze and timings come from it. A block that
 * somebody else shows is taken only when its own commit carries the signatures of more than two thirds of its
 * set, and a set that replaces another only when that one has signed the header which promises it; one's own node may
 * give its newest block on its word. The best of those whose word held leads; one's own takes over again as soon as
 * it shows a block that is new. What it shows itself is told apart: feed_own(), own_changed().
 *
 * So EVENT_BLOCK of coord/coord.h is to be given for every block() of the feed, whoever showed it first: it says what
 * the chain has decided. That one's own node is behind is EVENT_NODE, from feed_own() and feed_head(), and that is
 * what keeps SYNCING waiting and a member from joining; hashes for gossip_opinion() come from feed_hash_at(), which
 * prefers what one's own node showed. A chain that halts or stands still is nothing unusual: nothing is told until it
 * moves. A node that goes back in height is one that shows less. One that shows another hash than the chain that
 * was verified is noted, told by feed_own() and used last for ten minutes. Whatever fails while it follows is tried again
 * at the next look, and noted once; an end is only what no retry can mend: everybody, one's own node among them,
 * contradicts the chain that was read, more validators than there can be, a gap.
 *
 * Going on. With `kept` a view from a journal is continued: the block at its head is read once more, its hash must be
 * that of the view, V(head) and V(head + 1) must be its members and powers; then every block behind is
 * given as if there had been no break. Validators that are new since are enrolled behind the old ones. Records are
 * those of now, which is right: a claim behind the head is read from its block, and what lies before it has been
 * given already. How it can end, feed_ended():
 *
 *     FEED_FORK   the chain has another block at the kept head, or other members, or one's own node is far below it
 *                 without catching up: the history is of another chain. Nothing is rebuilt; the operator decides.
 *     FEED_GAP    the kept head exists nowhere any more: everybody who answers, one's own node among them, has pruned
 *                 it. Begin anew without `kept`. The same may come later, when blocks were missed for that long.
 *
 * When nobody has come as far as the kept head, or one's own node does not answer and nobody else has it, that is noted
 * once and waited for.
 *
 * A journal is written from begun(), taken() and resulted(): they are called with what view_begin(), view_block() and
 * view_results() were given, right behind these and before draw() and block().
 *
 * Claims. Records change while it follows; the map from accounts to validators does not need to be told, since claims
 * are read from the blocks. feed_records() gives the names of those who are new, and what no claim tells (a
 * record that was moved to another key): such a record counts from the block behind the best head known.
 *
 * Memory. While it follows: the view, the records, the latest block and the sets of the last few changes; nothing
 * grows with the number of blocks. While a range is read: some 100 bytes a block and what changed in it, until its
 * top is verified.
 *
 * Invariants, asserted:
 *   F1 the view takes heights without a gap; nothing is given to it that has not been checked.
 *   F2 done() is called once when the range has been read, and once more if a feed that follows ends later; never
 *      from within another callback, so that the owner may destroy the feed in it, and in no other callback.
 *   F3 at most in_flight_max answers are awaited at a time beside those to status, a fixed number of heights is held
 *      beyond the next.
 */
#ifndef STAGGER_NODE_FEED_H
#define STAGGER_NODE_FEED_H

#include <czmq.h>

#include "coord/view.h"
#include "node/rpc.h"
#include "proto/header.h"
#include "proto/query.h"

#define FEED_IN_FLIGHT_DEFAULT 8
#define FEED_POLL_MS_DEFAULT 1000
#define FEED_HASHES_KEPT 128 /* heights that feed_hash_at() knows */

struct feed;

struct feed_progress {
    struct height first, head, top; /* of the range; the last height checked */
    uint64_t requests;              /* sent so far */
};

/* What the feed knows of a validator of the view beside what the view knows. */
struct feed_validator {
    const struct query_record *record; /* NULL: it has none; account and moniker stand there */
    bool first_member;                 /* of V(first); of a kept view's head */
    bool member;                       /* of V(head + 1) */
    /* The first height h with V(h) as it is for this validator now, in the set or out of it; HEIGHT_NONE: as long
     * as the feed looks back (a kept view: VIEW_BLOCKS_KEPT blocks). Header time of the block that decided it, h - 2. */
    struct height since;
    struct instant since_ms;
    struct height pause;     /* latest pause of it that happened; HEIGHT_NONE */
    struct instant pause_ms; /* header time of that block */
};

/* One's own node, by its latest status. */
struct feed_own {
    bool answers; /* to the latest look */
    bool
        ours; /* has answered once, with our chain id; all that follows is of the latest such answer: */
    bool catching_up;
    bool conflict; /* at `latest` it has another hash than the chain that was verified */
    struct height earliest, latest;
    uint8_t hash[HASH_SIZE];       /* of `latest` */
    uint8_t address[ADDRESS_SIZE]; /* of its consensus key */
    int64_t seen_ms;               /* zclock_mono() of that answer */
    char why[FAULT_MAX];           /* it does not answer: one line; else "" */
};

/* How it stands, or why it ended. */
enum feed_end {
    FEED_READS, /* it has not ended: done() not yet called, or the range has been read and it follows */
    FEED_READ,   /* the range has been read, and that was all */
    FEED_FAILED, /* for good; the fault says why */
    FEED_GAP,    /* blocks behind the view's head exist nowhere any more: begin anew */
    FEED_FORK,   /* with `kept`: it is the history of another chain */
};

struct feed_config {
    zloop_t *loop; /* borrowed, as is rpc */
    struct rpc *rpc;
    uint32_t own; /* the endpoint that is one's own node, or is taken for it */
    enum chain_kind chain;
    bool empty_blocks;
    struct charter charter; /* checked and sealed; chain_id is the one that headers must name */
    const struct query_record *records; /* as of now, in any order; copied */
    uint32_t record_count;

    /* What is read. `everything`: from the first block that anybody has to the head. Otherwise what the draw of
     * `boundary` needs, up to the block behind it; HEIGHT_NONE: of the latest boundary. */
    bool everything;
    struct height boundary;
    bool follow;
    bool thorough;
    uint64_t
        thorough_below; /* thorough by itself when the range is of at most so many blocks, 0: never */

    /* A block known from elsewhere, a journal for example: HEIGHT_NONE, or its height and hash. */
    struct height trusted;
    uint8_t trusted_hash[HASH_SIZE];

    /* A view that already has blocks, from journal_view(); NULL: none. Taken over, feed_destroy() destroys it; made with
     * feed_view_config(). Then boundary, everything and trusted are not looked at, and `follow` must be set. */
    struct view *kept;
    bool kept_results_due; /* journal_results_due(): its last block still lacks its results */

    uint32_t in_flight_max; /* 0: FEED_IN_FLIGHT_DEFAULT */
    int64_t poll_ms;        /* 0: FEED_POLL_MS_DEFAULT */

    void *owner; /* of all that follow; NULL: not told */
    void (*progress)(void *owner, const struct feed_progress *progress); /* after every height */
    void (*note)(void *owner,
                 const char *line); /* something unusual, for the operator; once each */
    /* A draw has been made; the view's head is its boundary. */
    void (*draw)(void *owner, const struct feed *feed, const struct draw *draw);
    void (*block)(void *owner, const struct feed *feed,
                  struct height height); /* after view_block() */
    /* NULL: the range has been read to its end (`follow` goes on); otherwise the feed has stopped for good. */
    void (*done)(void *owner, const struct fault *fault);

    /* Exactly what the view was given, in that order; begun() not for a kept view. */
    void (*begun)(void *owner, const struct view_config *config, const struct view *view,
                  struct height chain_first, struct height first, const struct view_change *set,
                  uint32_t count);
    void (*taken)(void *owner, const struct view *view, const struct view_block *block);
    void (*resulted)(void *owner, const struct view *view, const struct view_tx *txs,
                     uint32_t count);
    /* One's own node has answered otherwise than at the look before: another head, or none, or another state. */
    void (*own_changed)(void *owner, const struct feed *feed);
};

/* How the feed's view is made: a kept one must be made likewise. */
struct view_config feed_view_config(enum chain_kind chain, bool empty_blocks,
                                    const struct charter *charter);

/* NULL when memory is short: then `kept` is destroyed as well. The config is copied. */
struct feed *feed_create(const struct feed_config *config);
void feed_destroy(struct feed **feed); /* calls under way are dropped */

/* Starts it; to be called once. */
void feed_run(struct feed *feed);

/* From now on the head is looked at so often; at once if the last look is longer ago. Nothing is asked twice at a time. Others
 * than one's own node are looked at once a second at most. */
void feed_pace(struct feed *feed, int64_t poll_ms);

/* Looks now. Before the range has been read and without `follow` both do nothing. */
void feed_look(struct feed *feed);

/* The records as of now, copied: names for feed_validator(), whose pointers of before are void. */
void feed_records(struct feed *feed, const struct query_record *records, uint32_t count);

/* The view: it has seen nothing before the range has been read. */
const struct view *feed_view(const struct feed *feed);

/* Of a validator of the view, as of the view's head. */
struct feed_validator feed_validator(const struct feed *feed, uint32_t validator);

enum feed_end feed_ended(const struct feed *feed);

/* The best head that a usable endpoint has shown, at least the view's; HEIGHT_NONE before anybody has. */
struct height feed_head(const struct feed *feed);

/* What one's own node shows. Borrowed, up to the next look. */
const struct feed_own *feed_own(const struct feed *feed);

/* The hash of a block, for gossip_opinion(): as one's own node showed it if it is its latest, otherwise that of the
 * chain, for at least the last 100 heights up to the view's head. False when it is not known. */
bool feed_hash_at(const struct feed *feed, struct height height, uint8_t hash[HASH_SIZE]);

/* The range, known when the first draw is told: the first block read, and whether the chain begins there. */
struct height feed_first(const struct feed *feed, bool *is_chain_first);

/* From which boundary on draws rest on everything that section 2 demands. */
struct height feed_complete_from(const struct feed *feed);

bool feed_thorough(const struct feed *feed);

#endif
