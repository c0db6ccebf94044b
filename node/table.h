/* Tables for people: columns aligned, and text from outside made harmless.
 *
 *     RANK  MONIKER      STATUS    POWER
 *        1  kira-val-3   ACTIVE        1
 *        2  caf\xe9 ?[2J    PAUSED        0
 *
 * Monikers, versions and memos are bytes that anybody may choose. table_cell() lets through what a terminal
 * shows as itself: printable ASCII and valid UTF-8 without control, direction and invisible characters; every
 * other byte or character becomes '?'. Columns are aligned by display width (2 for wide characters, 0 for
 * combining ones), and a cell of more than TABLE_CELL_COLUMNS is cut, ending in "...".
 *
 *     struct table *table = table_create("RANK> MONIKER STATUS POWER>");     '>' : aligned to the right
 *     table_cell(table, "%u", rank); table_cell(table, "%s", moniker); ...   the row ends with its last cell
 *     table_print(table, stdout);
 *     table_destroy(&table);
 */
#ifndef STAGGER_NODE_TABLE_H
#define STAGGER_NODE_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16
#define TABLE_CELL_COLUMNS 64
#define TABLE_CELL_BYTES (4 * TABLE_CELL_COLUMNS + 4)

struct table;

/* Headings are separated by blanks; '_' in one is printed as a blank. Memory that is short ends the program. */
struct table *table_create(const char *headings);
void table_destroy(struct table **table);

/* The next cell of the table, row by row. */
__attribute__((format(printf, 2, 3))) void table_cell(struct table *table, const char *format, ...);

/* Headings and rows; nothing but the headings when there is no row. Every row must be complete. */
void table_print(const struct table *table, FILE *out);

/* --- the same care for single texts --- */

/* Writes `text` as table_cell() would, cut to `size` bytes with its end. Returns out. */
const char *text_shown(const char *text, char *out, size_t size);

/* A copy that is valid UTF-8, for JSON: every byte that is not becomes U+FFFD. Cut to `size` bytes, never
 * within a character. Returns out. */
const char *text_utf8(const char *text, char *out, size_t size);

#endif
