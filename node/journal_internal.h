/* What the files of the journal share.
 *
 *     journal.c          opening, closing; what was found
 *     journal_append.c   records into the buffer, the buffer onto the disk
 *     journal_read.c     records out of a file; where it ends, and why
 *     journal_past.c     records of blocks into a view
 *     journal_rotate.c   the file anew
 *     journal_replay.c   the core over again
 *     journal_code.c     values as bytes
 *     journal_disk.c     the file system
 */
#ifndef STAGGER_NODE_JOURNAL_INTERNAL_H
#define STAGGER_NODE_JOURNAL_INTERNAL_H

#include "coord/digest.h"
#include "node/journal.h"
#include "node/journal_code.h"

#define JOURNAL_VERSION 1
#define JOURNAL_MAGIC "stagger journal\n" /* 16 bytes */
#define JOURNAL_BLOCK 4096                /* no disk writes less at once, or tears more */
#define JOURNAL_RECORDS 12288             /* where the first record stands */
#define JOURNAL_RECORD_HEAD 24
#define JOURNAL_RECORD_MAX 1048576 /* bytes of a record's content */
#define JOURNAL_MARKER 0xb7
#define JOURNAL_FLUSH 65536 /* bytes in the buffer at which the journal syncs by itself */
#define NAME_BEFORE JOURNAL_NAME ".1"
#define NAME_DAMAGED JOURNAL_NAME ".damaged"
#define NAME_NEW JOURNAL_NAME ".new"

enum record_type {
    RECORD_NONE,
    RECORD_OPEN,    /* a run begins, or a file after a rotation */
    RECORD_MEMORY,  /* written twice in a row */
    RECORD_SENT,    /* likewise */
    RECORD_CORE,    /* the core with its policy */
    RECORD_EVENT,   /* a step */
    RECORD_NOTE,    /* text */
    RECORD_CONFIG,  /* of the view */
    RECORD_BEGIN,   /* view_begin() */
    RECORD_ENROL,   /* view_enrol() */
    RECORD_BLOCK,   /* view_block() */
    RECORD_RESULTS, /* view_results() */
    RECORD_GAP,     /* events and blocks are missing from here on, to the next OPEN */
    RECORD_TYPE_COUNT,
};

struct journal_record {
    enum record_type type;
    uint16_t run;
    uint64_t offset, number; /* number: from 1 in its file */
    const uint8_t *bytes;    /* until the next one is read */
    size_t size;
    uint64_t previous, check; /* as they stand there */
};

/* --- reading --- */

enum reader_step {
    READER_RECORD,
    READER_END,        /* of everything written */
    READER_TORN,       /* what follows was never durable */
    READER_DAMAGED,    /* what follows, or the head, was durable and is wrong */
    READER_UNREADABLE, /* the disk does not let us */
};

struct journal_reader {
    const struct journal_disk *disk;
    int file;
    uint64_t id, size, sealed; /* sealed: the highest seal, 0: none */
    uint32_t seal_slot;        /* which of the two holds it */
    uint32_t version;
    char owner[JOURNAL_OWNER_MAX];
    uint64_t at, previous, number;
    uint16_t run; /* of the latest record */
    uint8_t *buffer;
    size_t have, room;
    uint64_t from; /* offset of the buffer's first byte */
    struct digest *digest;
    struct fault fault; /* why it ends, but for READER_END */
};

/* Reads head and seals: READER_RECORD when records may follow, else as above. To be closed in any case. */
enum reader_step reader_open(struct journal_reader *reader, const struct journal_disk *disk,
                             const char *name);
enum reader_step reader_next(struct journal_reader *reader, struct journal_record *record);
/* Behind a torn end: the latest whole memory and transaction of the latest run, see journal.h. */
bool reader_rescue(struct journal_reader *reader, enum record_type type,
                   struct journal_record *record);
void reader_close(struct journal_reader *reader);

/* The numbers of the file: little-endian. */
void journal_put(uint8_t *bytes, size_t size, uint64_t value);
uint64_t journal_get(const uint8_t *bytes, size_t size);

uint64_t journal_check(struct digest *digest, uint64_t id, uint64_t offset, const uint8_t *head,
                       size_t head_size, const uint8_t *bytes, size_t size);
uint64_t journal_seal_check(struct digest *digest, uint64_t id, uint32_t slot, uint64_t mark);
uint64_t journal_head_check(struct digest *digest, const uint8_t head[JOURNAL_BLOCK]);
#define JOURNAL_HEAD_CHECKED 504 /* bytes of the head before its check */

/* --- blocks as the journal knows them --- */

struct past {
    struct view *view;         /* NULL before there is a config */
    struct view_config config; /* of the view */
    bool fixed;                /* the config is the owner's; those of the file are not taken */
    bool configured, begun;
    bool due; /* results of the head */
    struct height chain_first, first, head;
    uint64_t begun_at; /* offset of the latest RECORD_BEGIN */
    struct view_tx *txs;
    uint32_t *missing;
    struct view_change *changes;
    uint32_t tx_room, missing_room, change_room;
};

/* Takes a record of the view's; others are none of its business. False with a fault when it says what cannot be. */
bool past_take(struct past *past, const struct journal_record *record, struct fault *fault);
/* The blocks that it knows once more, through a view with another config; read from the file up to `end`. */
bool past_turn(struct past *past, const struct journal_disk *disk, const char *name, uint64_t end,
               const struct view_config *config, struct fault *fault);
void past_end(struct past *past);

/* --- the writer --- */

struct journal {
    struct journal_disk disk;
    bool disk_owned;
    int lock, file;
    uint64_t id;
    char owner[JOURNAL_OWNER_MAX];
    uint16_t run;
    uint64_t durable; /* the buffer's place in the file: everything before is durable and sealed */
    uint8_t *buffer;
    size_t used, room;
    uint64_t previous;
    uint32_t seal_slot;
    bool names_due; /* a rename is not durable yet */
    bool gap;
    bool troubled, memory_short;
    struct fault trouble;
    uint64_t long_at; /* size at which journal_is_long() */
    struct digest *digest;

    bool configured, begun, due;
    struct view_config config;
    struct height chain_first, first, head;
    uint64_t begun_at;
    uint32_t enrolled;

    bool has_memory;
    struct coord_memory memory;
    enum coord_journal kind; /* what the core was told, while there is no memory */
    struct code sent;        /* content of the latest RECORD_SENT; empty: none */
    struct chain_sent flight;
    char notes[NOTE_COUNT][JOURNAL_NOTE_MAX];
};

/* Writes head and seals of a new file into `name` and makes it the journal's; records follow by append. */
bool journal_begin_file(struct journal *journal, const char *name, struct fault *fault);
void journal_append(struct journal *journal, enum record_type type, const uint8_t *bytes,
                    size_t size);
void journal_append_code(struct journal *journal, enum record_type type, struct code *code);
void journal_append_open(struct journal *journal, struct instant now, bool rotated);
void journal_append_kept(struct journal *journal); /* memory, transaction, notes as they are */
void journal_fill(struct journal *journal);        /* up to a whole block */
bool journal_write_at(struct journal *journal, const uint8_t *bytes, size_t size, uint64_t offset,
                      struct fault *fault);
bool journal_write_all(struct journal *journal, struct fault *fault);

struct journal_opening {
    struct instant now;
    bool rotated;
    enum coord_journal kind;
};
bool journal_read_opening(const struct journal_record *record, struct journal_opening *opening);
bool journal_read_memory(const struct journal_record *record, struct coord_memory *memory);
bool journal_read_sent(const struct journal_record *record, enum tx_kind *tx,
                       struct chain_sent *sent); /* bytes are borrowed from the record */
bool journal_read_config(const struct journal_record *record, struct view_config *config);
struct journal_note_read {
    struct instant now;
    enum journal_note kind;
    char text[JOURNAL_NOTE_MAX];
};
bool journal_read_note(const struct journal_record *record, struct journal_note_read *note);

#endif
