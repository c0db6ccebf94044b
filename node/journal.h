/* The journal: what an agent must know again after it died at any moment, and why it did what it did.
 *
 *     journal_open(dir, owner) --> found: KEPT with memory, transaction, history / NONE / DAMAGED with a sentence
 *          |
 *     journal_append_...()        into a buffer
 *     journal_sync()              write, fdatasync, seal: durable when it returns true; only then act
 *     journal_rotate()            now and then: a new file with what is still needed, the old one kept as journal.1
 *
 * One file, append only, instead of sqlite3. What is stored is a stream that is read once, at a start: no question
 * needs an index. A commit is one write and one fdatasync of one file, where sqlite3's needs two of each and a
 * second file (its WAL checkpoints write again); a failed fdatasync leaves sqlite3 with pages that the kernel took
 * for clean, here the bytes are still in the buffer and are written again. `stagger replay` reads the file while the
 * agent writes, without a lock. Above all a database tells a torn transaction and a flipped bit apart by nothing,
 * and rolls back in silence; a member that forgets a pause which is on its way is what must not happen. The file
 * costs some 150 bytes a block, no memory but the buffer of at most 64 KB, and an fdatasync per state change.
 *
 *     0         4096     8192     12288                                        durable            end
 *     | head    | seal A | seal B | record record 0000 | record record record 00 | record record |
 *     | id,owner| up to.. up to.. |<- one sync ------->|<- one sync ------------>|<- not synced ->
 *
 * Torn or damaged. Every record holds the check of the one before it and a check of its own (8 bytes of SHA-256 over
 * the file's id, its place and its content), so what a reader takes is a gapless beginning of what was written, up
 * to X. What stands behind X must be told apart:
 *
 *     torn      a crash came before the sync of those bytes returned. Nothing that they say has taken effect: X is
 *               the truth. They are cut off, in silence.
 *     damaged   they were durable once. Then X may be a memory too old, and nothing is believed.
 *
 * The seals tell. After each successful sync, and before anything acts on it, "everything up to here is durable" is
 * written to seal A or B in turn (each in a block of its own, never both at once; not synced, since the next sync
 * does it). A seal beyond X: damaged. A seal that is broken itself says nothing, and the other is one sync older.
 * A file that was cut short is found by that as well. What a seal covers is never written again: every sync is
 * padded to a whole block, so that a write torn by the disk cannot harm what was durable before. A start that finds
 * whole records behind the last seal copies everything into a new file, and leaves the old one alone until then.
 *
 * One case is left: power fails after the sync while the seal is not yet on the disk, and a bit of that last sync
 * flips. So a memory and a transaction are written twice in a row, and behind X the latest of them that is whole counts.
 * That is never wrong: whoever wrote it had not acted on an older one since.
 *
 * The files of the directory: journal; journal.1, the one before the last rotation; journal.damaged, for whoever
 * wants to look; journal.new, being written; journal.lock. A journal that is missing where a damaged one was put
 * aside counts as damaged.
 *
 * A full disk. journal_sync() fails with a sentence; nothing is lost, since the bytes stay in the buffer, and a later
 * call writes them again. When the buffer has reached JOURNAL_BUFFER_MAX, events and blocks are dropped, up to the
 * agent's next start (a gap: the history ends there, replay says so); memory and transactions never are.
 *
 * How an agent uses it, so that replay finds what happened:
 *
 *     journal_open(), journal_view() if found.history, coord_init(), journal_append_core()
 *     EVENT_START with found.kind and found.memory; chain_resume() if found.sent
 *     view_block()     with journal_append_block() beside it; results likewise
 *     coord_step()     journal_append_event() at once; then the effects in order:
 *       EFFECT_PERSIST   journal_append_memory(coord_memory()), journal_sync(): false: none of the others, but
 *                        EVENT_STORE, and both again when journal_sync() returns true
 *       EFFECT_SEND      in the persist hook journal_append_sent(), journal_sync()
 *       EFFECT_RUNTIME   journal_append_note(NOTE_RUNTIME) when there is more to know than the core's own step
 *     journal_is_long()  journal_rotate(), between two steps
 *
 * Invariants:
 *   J1 when journal_sync() has returned true, everything appended before is found by every later journal_open().
 *   J2 a memory that journal_open() finds was appended, and nothing older than the latest one synced.
 *   J3 whatever one bit of the file turns into, J2 holds or the journal is DAMAGED.
 *   J4 at every instant one whole journal stands under its name.
 */
#ifndef STAGGER_NODE_JOURNAL_H
#define STAGGER_NODE_JOURNAL_H

#include "coord/coord.h"
#include "node/chain.h"
#include "node/journal_disk.h"
#include "proto/fault.h"

#define JOURNAL_NAME "journal"
#define JOURNAL_OWNER_MAX 200      /* with its terminator */
#define JOURNAL_TX_MAX 65536       /* bytes of a transaction */
#define JOURNAL_NOTE_MAX 512       /* with its terminator */
#define JOURNAL_BUFFER_MAX 4194304 /* bytes that wait for a disk that works */
#define JOURNAL_ROTATE_MIN 8388608 /* bytes of a file that may be rotated */

struct journal;

enum journal_note {
    NOTE_PLAIN,
    NOTE_RUNTIME, /* what the runtime's driver is at: the latest is found again */
    NOTE_REASON,  /* the operator's reason: likewise */
    NOTE_COUNT,
};

/* What an earlier run left. Pointers hold until the first append. */
struct journal_found {
    enum coord_journal kind;
    struct coord_memory memory; /* KEPT */
    bool sent;                  /* KEPT: a transaction was on its way: */
    enum tx_kind tx;
    struct chain_sent flight;
    char runtime[JOURNAL_NOTE_MAX], reason[JOURNAL_NOTE_MAX]; /* KEPT: latest notes, "" for none */
    bool history;              /* KEPT: journal_view() gives a view, */
    struct height first, head; /* of these blocks */
    uint64_t torn;             /* bytes that were cut off: what a crash did not let be written */
    char text[FAULT_MAX];      /* DAMAGED: what is damaged and where; else "" */
};

/* `owner` says whose journal it is, in one line: chain id and validator's address. False with a fault: another agent
 * has it, it is another validator's or a newer version's, or the directory cannot be written; nothing was changed. */
MUST_CHECK bool journal_open(const char *dir, const char *owner, struct instant now,
                             struct journal **journal, struct journal_found *found,
                             struct fault *fault);

/* The same on a disk of one's own, which must outlive the journal. */
MUST_CHECK bool journal_open_on(const struct journal_disk *disk, const char *owner,
                                struct instant now, struct journal **journal,
                                struct journal_found *found, struct fault *fault);

/* Syncs if it can. What was not durable may be lost, as after a crash. */
void journal_close(struct journal **journal);

/* --- writing; everything is buffered --- */

/* For EFFECT_PERSIST. */
void journal_append_memory(struct journal *journal, const struct coord_memory *memory);

/* For struct chain_submission's persist hook; sent NULL: nothing is on its way any more. */
void journal_append_sent(struct journal *journal, enum tx_kind tx, const struct chain_sent *sent);

/* The core as it is: after coord_init() and again when its policy has changed. */
void journal_append_core(struct journal *journal, const struct coord *core);

/* A step that has just been made; in the order of the steps, before its effects are carried out. */
void journal_append_event(struct journal *journal, const struct coord *core,
                          const struct coord_event *event, const struct coord_effects *effects);

/* The text in one line; longer ones are cut. */
void journal_append_note(struct journal *journal, struct instant now, enum journal_note kind,
                         const char *text);

/* Beside view_begin(), view_block() and view_results(), in the same order and with the same arguments. The view is
 * asked for addresses, behind blocks and results for those that are new. A view that begins anew replaces all that was known before. */
void journal_append_begin(struct journal *journal, const struct view_config *config,
                          const struct view *view, struct height chain_first, struct height first,
                          const struct view_change *set, uint32_t count);
void journal_append_block(struct journal *journal, const struct view *view,
                          const struct view_block *block);
void journal_append_results(struct journal *journal, const struct view *view,
                            const struct view_tx *txs, uint32_t count);

/* From here on the core sees the same blocks through a view with this config (a vote has changed min_validators). */
void journal_append_config(struct journal *journal, const struct view_config *config);

/* Makes everything appended durable. False with a fault that names file and remedy: EVENT_STORE. */
MUST_CHECK bool journal_sync(struct journal *journal, struct fault *fault);

/* Why the latest sync failed, the journal's own too (it syncs by itself when much has been appended); NULL: all is
 * well. */
const char *journal_trouble(const struct journal *journal);

/* Events and blocks were dropped: they are kept again from the agent's next start on. */
bool journal_has_gap(const struct journal *journal);

/* --- the history --- */

/* A view with everything that the journal knows of blocks, to go on from its head. With another config than before
 * that is noted, as by journal_append_config(). NULL with a fault when memory is short or a record says what cannot
 * be. */
struct view *journal_view(struct journal *journal, const struct view_config *config,
                          struct fault *fault);

/* Whether the block given last still lacks its results. */
bool journal_results_due(const struct journal *journal);

/* Whether the file has grown to twice what the last rotation left, and to JOURNAL_ROTATE_MIN at least. */
bool journal_is_long(const struct journal *journal);

/* Writes a new file: blocks from what PROTOCOL section 2 demands on (further back while a validator is out since
 * then), the core, memory, transaction, notes. view: the core's, NULL before journal_append_begin(); core: NULL before there is one. False
 * with a fault: the journal goes on as before. */
MUST_CHECK bool journal_rotate(struct journal *journal, const struct view *view,
                               const struct coord *core, struct instant now, struct fault *fault);

#endif
