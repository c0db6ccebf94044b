#include "node/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEADING_MAX 32
#define REPLACEMENT "\xef\xbf\xbd"

struct column {
    char heading[HEADING_MAX];
    bool right;
    uint32_t width; /* of the widest cell */
};

struct table {
    struct column columns[TABLE_COLUMNS_MAX];
    uint32_t column_count;
    char (*cells)[TABLE_CELL_BYTES];
    size_t cell_count, cell_room;
};

/* --- characters --- */

struct range {
    uint32_t from, to;
};

static bool within(const struct range *ranges, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

#define WITHIN(ranges, c) within(ranges, sizeof(ranges) / sizeof(ranges)[0], c)

/* What steers a terminal, turns the direction of writing or cannot be seen. */
static bool is_harmful(uint32_t c)
{
    static const struct range harmful[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x34f, 0x34f},
        {0x61c, 0x61c},   {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0x3164, 0x3164},
        {0xe000, 0xf8ff}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
        {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
    };
    return WITHIN(harmful, c);
}

static uint32_t width_of(uint32_t c)
{
    static const struct range combining[] = {
        {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
        {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f},
    };
    static const struct range wide[] = {
        {0x1100, 0x115e},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
        {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
        {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };
    return WITHIN(combining, c) ? 0 : WITHIN(wide, c) ? 2 : 1;
}

/* One character of valid UTF-8; returns its bytes, or 0 when these are none. */
static size_t utf8_read(const char *text, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *b = (const unsigned char *)text;
    size_t size = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    if (size == 0 || b[0] > 0xf4)
        return 0;
    *c = size == 1 ? b[0] : b[0] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((b[i] & 0xc0) != 0x80) /* the end of the text, too */
            return 0;
        *c = *c << 6 | (b[i] & 0x3f);
    }
    if (*c < least[size] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
        return 0;
    return size;
}

/* Copies what may be shown, at most `columns` wide; returns the width. */
static uint32_t shown_copy(const char *text, uint32_t columns, char *out, size_t size)
{
    uint32_t width = 0;
    size_t used = 0;
    while (*text) {
        uint32_t c = '?';
        size_t length = utf8_read(text, &c);
        bool good = length && !is_harmful(c);
        size_t bytes = good ? length : 1;
        uint32_t wide = good ? width_of(c) : 1;
        if (width + wide > columns || used + bytes >= size)
            break;
        if (good)
            memmove(out + used, text, bytes);
        else
            out[used] = '?';
        used += bytes;
        width += wide;
        text += length ? length : 1;
    }
    out[used] = '\0';
    return width;
}

const char *text_shown(const char *text, char *out, size_t size)
{
    assert(size > 0);
    shown_copy(text, UINT32_MAX / 2, out, size);
    return out;
}

const char *text_utf8(const char *text, char *out, size_t size)
{
    size_t used = 0;
    assert(size > 0);
    while (*text) {
        uint32_t c;
        size_t length = utf8_read(text, &c);
        const char *from = length ? text : REPLACEMENT;
        size_t bytes = length ? length : sizeof REPLACEMENT - 1;
        if (used + bytes >= size)
            break;
        memcpy(out + used, from, bytes);
        used += bytes;
        text += length ? length : 1;
    }
    out[used] = '\0';
    return out;
}

/* --- tables --- */

static void heading_add(struct table *table, const char *text, size_t length)
{
    assert(table->column_count < TABLE_COLUMNS_MAX);
    struct column *column = &table->columns[table->column_count++];
    column->right = text[length - 1] == '>';
    length -= column->right;
    assert(length < HEADING_MAX);
    for (size_t i = 0; i < length; i++)
        column->heading[i] = text[i] == '_' ? ' ' : text[i];
    column->width = (uint32_t)length;
}

struct table *table_create(const char *headings)
{
    struct table *table = calloc(1, sizeof *table);
    assert(table);
    for (const char *at = headings; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        heading_add(table, at, length);
        at += length;
    }
    assert(table->column_count > 0);
    return table;
}

void table_destroy(struct table **table)
{
    if (!*table)
        return;
    free((*table)->cells);
    free(*table);
    *table = NULL;
}

static void room_make(struct table *table)
{
    if (table->cell_count < table->cell_room)
        return;
    table->cell_room = table->cell_room ? 2 * table->cell_room : 256;
    char(*cells)[TABLE_CELL_BYTES] =
        realloc(table->cells, table->cell_room * sizeof table->cells[0]);
    assert(cells);
    table->cells = cells;
}

void table_cell(struct table *table, const char *format, ...)
{
    char text[4 * TABLE_CELL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    room_make(table);
    char *cell = table->cells[table->cell_count];
    struct column *column = &table->columns[table->cell_count % table->column_count];
    uint32_t whole = shown_copy(text, UINT32_MAX / 2, text, sizeof text);
    uint32_t width = shown_copy(text, TABLE_CELL_COLUMNS, cell, TABLE_CELL_BYTES);
    if (width < whole) {
        width = shown_copy(text, TABLE_CELL_COLUMNS - 3, cell, TABLE_CELL_BYTES - 3) + 3;
        strcat(cell, "...");
    }
    if (width > column->width)
        column->width = width;
    table->cell_count++;
}

/* One line; the last column is not filled up. */
static void line_write(const struct table *table, FILE *out,
                       const char *(*text_of)(const void *, uint32_t), const void *owner)
{
    char unused[TABLE_CELL_BYTES];
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        const char *text = text_of(owner, i);
        uint32_t width = shown_copy(text, UINT32_MAX / 2, unused, sizeof unused);
        int pad = (int)(column->width - width);
        bool last = i + 1 == table->column_count;
        if (i)
            fputs("  ", out);
        if (column->right)
            fprintf(out, "%*s%s", pad, "", text);
        else
            fprintf(out, "%s%*s", text, last ? 0 : pad, "");
    }
    fputc('\n', out);
}

static const char *heading_of(const void *owner, uint32_t column)
{
    return ((const struct table *)owner)->columns[column].heading;
}

static const char *cell_of(const void *owner, uint32_t column)
{
    return (const char *)owner + (size_t)column * TABLE_CELL_BYTES;
}

void table_print(const struct table *table, FILE *out)
{
    assert(table->cell_count % table->column_count == 0);
    line_write(table, out, heading_of, table);
    for (size_t i = 0; i < table->cell_count; i += table->column_count)
        line_write(table, out, cell_of, table->cells + i);
}
