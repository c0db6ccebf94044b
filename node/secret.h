/* Memory for what nobody else may read: passphrases, mnemonics, keys.
 *
 *     struct secret SECRET_WIPED text = SECRET_NONE;           wiped and freed on every way out
 *     if (!secret_read_file("--file", path, 4096, &text, fault))
 *         return false;
 *
 * The bytes lie in OpenSSL's secure heap where there is one (locked, between guard pages, left out of dumps), and
 * are overwritten when they are given back. A secret never passes through stdio, whose buffers nobody wipes: it is
 * read with read(2) and shown with secret_show(). No fault of these functions holds a byte of a secret.
 *
 *   I1  bytes[size] is always a zero byte, so a secret without zero bytes is a C string.
 *   I2  what lies in a file is read only when nobody but its owner can read the file.
 */
#ifndef STAGGER_NODE_SECRET_H
#define STAGGER_NODE_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "proto/fault.h"

#define SECRET_TEXT_MAX 4096 /* bytes of a mnemonic, key or passphrase that is read */

struct secret {
    char *bytes; /* owned; NULL: none */
    size_t size, room;
};

#define SECRET_NONE ((struct secret){NULL, 0, 0})
#define SECRET_WIPED __attribute__((cleanup(secret_wipe)))

/* A private key or a seed of 32 bytes on the stack. */
struct secret_key {
    uint8_t bytes[32];
};
#define SECRET_KEY_WIPED __attribute__((cleanup(secret_key_wipe)))

/* For the start of a command that holds keys: from now on this process leaves no core dump and cannot be looked into
 * by others of the same user, and the secure heap exists. What the system refuses of that is done without. */
void secret_guard(void);

/* Room for `room` bytes, zero. Ends the program when there is no memory. */
void secret_create(struct secret *secret, size_t room);
void secret_wipe(struct secret *secret);
void secret_key_wipe(struct secret_key *key);

/* Everything up to the end of the stream or, with `line`, up to a line break, which is taken from the stream (not
 * one byte more is) but not kept, nor is a carriage return before it. More than `limit` bytes are a fault. `name`
 * is what faults call the stream. */
MUST_CHECK bool secret_read_stream(const char *name, int fd, size_t limit, bool line,
                                   struct secret *secret, struct fault *fault);

/* A file (or pipe) with no permission for group and others; its symbolic links are followed. A pipe that
 * nobody opens to write is empty after 5 seconds. `option` is how the user named it ("--file"), for faults; a path that
 * could itself be a secret is not repeated. */
MUST_CHECK bool secret_read_file(const char *option, const char *path, size_t limit, bool line,
                                 struct secret *secret, struct fault *fault);

/* Writes all of it, past stdio's buffers. False when that failed. */
MUST_CHECK bool secret_show(int fd, const char *bytes, size_t size);

/* Whether the text may be a key or a mnemonic that somebody put where it does not belong, so that no message
 * repeats it: 64 hex digits in a row, or twelve words. */
bool secret_suspected(const char *text);

#endif
