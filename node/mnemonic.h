/* Mnemonics of BIP-39, English list: a key as words that a person can write down.
 *
 *     entropy   16 20 24 28 32 bytes
 *        |  followed by the first size / 4 bits of its SHA-256, eleven bits a word
 *     words     12 15 18 21 24
 *        |  PBKDF2-HMAC-SHA-512, 2048 rounds, salt "mnemonic" and a further passphrase
 *     seed      64 bytes: of hd.h
 *
 * Example: sixteen zero bytes are "abandon" eleven times and "about", whose bits end in the checksum 0011.
 *
 * People type words in capitals, over several lines, with several blanks between them: all of that is the same
 * mnemonic, and mnemonic_read() makes one form of it. Faults name at most the position of a word and the word of the
 * list that may have been meant, never what was typed: it may have been something else that is secret.
 */
#ifndef STAGGER_NODE_MNEMONIC_H
#define STAGGER_NODE_MNEMONIC_H

#include <stddef.h>
#include <stdint.h>

#include "proto/fault.h"

#define MNEMONIC_LIST 2048
#define MNEMONIC_WORD_MAX 8
#define MNEMONIC_WORDS_MAX 24
#define MNEMONIC_TEXT_MAX (MNEMONIC_WORDS_MAX * (MNEMONIC_WORD_MAX + 1))
#define MNEMONIC_ENTROPY_MAX 32
#define MNEMONIC_SEED_SIZE 64

/* Sorted; generated from node/wordlist.txt. */
extern const char mnemonic_words[MNEMONIC_LIST][MNEMONIC_WORD_MAX + 1];

struct mnemonic {
    char text[MNEMONIC_TEXT_MAX]; /* lower case, single blanks */
    uint32_t words;
};
#define MNEMONIC_WIPED __attribute__((cleanup(mnemonic_wipe)))

void mnemonic_wipe(struct mnemonic *mnemonic);

/* Of entropy of 16, 20, 24, 28 or 32 bytes. */
void mnemonic_from_entropy(const uint8_t *entropy, size_t size, struct mnemonic *mnemonic);

/* A new one of 12, 15, 18, 21 or 24 words from the system's entropy; false when there is none to be had. */
MUST_CHECK bool mnemonic_new(uint32_t words, struct mnemonic *mnemonic);

/* Reads what a person typed. Faults, in this order: the number of words, the first word that is not in the list (with
 * its position and the nearest word), the checksum. */
MUST_CHECK bool mnemonic_read(const char *text, size_t length, struct mnemonic *mnemonic,
                              struct fault *fault);

/* `further` is BIP-39's optional passphrase, "" for none. */
void mnemonic_seed(const struct mnemonic *mnemonic, const char *further,
                   uint8_t seed[MNEMONIC_SEED_SIZE]);

#endif
