/* Numbers, durations and foreign text as words, for the three kinds of report.
 *
 * Nothing here asks the locale: a decimal point is a point and a thousands separator a comma
 * everywhere. Functions that fill `text` return it, so that they can stand in an argument list.
 *
 * Foreign text is read one code point at a time with words_next(); words_clean() says what may be
 * shown of it where people look:
 *
 *     bytes ---> words_next() ---> words_clean() ---> words_put()
 *                no UTF-8: U+FFFD  control, bidi override, noncharacter: U+FFFD
 *                                  tab, line feed, carriage return: a space
 */
#ifndef STAGGER_SIM_REPORT_WORDS_H
#define STAGGER_SIM_REPORT_WORDS_H

#include <stdint.h>
#include <stdio.h>

#define WORDS_MAX 32
#define WORDS_REPLACEMENT 0xFFFDu

/* Seconds as milliseconds, rounded; clamped to +-9e12 s, 0 for what is no number. */
int64_t words_ms(double seconds);

/* "0s", "4.2s" below ten seconds, "48s", "22m48s", "1h02m10s", "120h05m"; rounded. Negative ones
 * are "-". */
const char *words_duration(char text[WORDS_MAX], int64_t ms);

/* "1:05" (hours and minutes, cut off) and "1:05:09"; negative ones count as 0. */
const char *words_clock(char text[WORDS_MAX], int64_t ms);
const char *words_clock_s(char text[WORDS_MAX], int64_t ms);

/* "400", "10,000". */
const char *words_number(char text[WORDS_MAX], uint64_t n);

/* A fixed number of decimals, 0 to 6, rounded half away from zero; NULL when the value is no number
 * or beyond +-9e12. */
const char *words_fixed(char text[WORDS_MAX], double value, unsigned decimals);

/* The next code point of *text, which moves on; 0 at the end. */
uint32_t words_next(const char **text);
uint32_t words_clean(uint32_t point);
void words_put(FILE *out, uint32_t point);

/* The whole text, cleaned. */
void words_plain(FILE *out, const char *text);

#endif
