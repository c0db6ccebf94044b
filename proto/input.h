/* Strict reading of what people typed: numbers, durations, fractions, words, small files.
 *
 * Every reader takes the whole text or nothing: no leading blanks, no sign, no locale, no exponent,
 * no "nan". What does not fit is refused instead of being rounded or wrapped.
 *
 *     whole      67                     number     0.4   12
 *     duration   250ms 300s 5m 1.5h 2d  ratio      0.1   10%   2/3
 */
#ifndef STAGGER_PROTO_INPUT_H
#define STAGGER_PROTO_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_ERROR_MAX 512
#define INPUT_QUOTE_MAX 48
#define INPUT_DURATION_MAX 32
#define INPUT_WORD_MAX 40 /* longer words are near to nothing */

/* Digits only. False when the text is anything else or above UINT64_MAX. */
bool input_whole(const char *text, uint64_t *value);

/* Digits with at most one point between them, at most 15 of them. */
bool input_number(const char *text, double *value);

/* A number and its unit, ms s m h d, that makes whole milliseconds. */
bool input_duration(const char *text, int64_t *ms);

/* A number, a number with %, or whole/whole; not above 1. In lowest terms. */
bool input_ratio(const char *text, uint64_t *num, uint64_t *den);
bool input_fraction(const char *text, double *value);

/* Writes a duration with the largest unit that leaves it whole: 90000 is "90s". */
void input_duration_text(int64_t ms, char out[INPUT_DURATION_MAX]);

/* A copy that is safe in one line of an error message: printable, shortened. Returns out. */
const char *input_quote(const char *text, char out[INPUT_QUOTE_MAX]);

/* The nearest of some words to the given one. Begin with {given, NULL, 0}, offer each word; `best`
 * stays NULL when none is near enough to be meant. */
struct input_nearest {
    const char *given, *best;
    uint32_t distance;
};
void input_nearest_offer(struct input_nearest *nearest, const char *word);

/* Writes the message and returns false. */
__attribute__((format(printf, 2, 3))) bool input_fail(char error[INPUT_ERROR_MAX],
                                                      const char *format, ...);

/* Reads a file of at most `max` bytes into memory that the caller frees; a zero byte is appended
 * that `size` does not count. plain_only refuses what is no regular file. On failure `error` holds
 * the reason without the name of the file: "it is a directory". */
bool input_file(const char *path, size_t max, bool plain_only, char **text, size_t *size,
                char error[INPUT_ERROR_MAX]);

#endif
