/* Draws for people. */
#include <inttypes.h>
#include <string.h>

#include "node/table.h"
#include "node/turns.h"
#include "proto/encoding.h"

#define SHORT 8 /* digits of an address that a person can compare */

static const char *shown(const char *text, char out[64])
{
    return text[0] ? text_shown(text, out, 64) : "-";
}

static const char *short_address(const struct turns_row *row, char out[HEX_TEXT(ADDRESS_SIZE)])
{
    hex_encode_upper(row->address, ADDRESS_SIZE, out);
    out[SHORT] = '\0';
    return out;
}

static void print_heading(const struct turns *t, FILE *out)
{
    const struct draw *d = &t->draw;
    char time[TURNS_TIME_MAX], hash[HEX_TEXT(HASH_SIZE)];
    hex_encode_upper(t->hash, HASH_SIZE, hash);
    fprintf(out, "epoch %" PRIu64 " of %s, charter %08x\n", d->epoch.n, t->charter.chain_id,
            (unsigned)t->charter.id);
    fprintf(out, "boundary block %" PRIu64 ", %s, hash %.16s...\n", d->boundary.n,
            turns_time(d->time, time), hash);
    fprintf(out, "a permit is good for one pause in blocks %" PRIu64 " to %" PRIu64 "\n",
            d->boundary.n + 1, d->boundary.n + t->charter.epoch_blocks);
    if (!d->complete)
        fprintf(out,
                "NOT COMPLETE: the nodes have blocks from %" PRIu64
                " on only; draws are complete from epoch %" PRIu64 " (block %" PRIu64 ") on\n",
                t->first.n, t->complete_from.n / t->charter.epoch_blocks, t->complete_from.n);
}

static void print_budget(const struct turns *t, FILE *out)
{
    static const char *const decides[] = {"the floor decides", "two thirds decide",
                                          "the ramp decides"};
    const struct draw *d = &t->draw;
    const struct charter *c = &t->charter;
    struct turns_terms terms = turns_terms(c, d);
    fprintf(out, "\nbudget %" PRId64 ": %s%s\n", d->budget, decides[d->term],
            d->by_power ? "; all weights are sums of power" : "");
    fprintf(out,
            "  members n %" PRId64 ", live l %" PRId64 ", silent or going f %" PRId64
            ", foreign charters x %" PRId64 "\n",
            d->members, d->live, d->members - d->live, d->foreign);
    fprintf(out,
            "  floor F %" PRId64 " = max(min_validators %" PRIu64
            ", %u/%u of reference size %" PRId64 " rounded down + 1); reserve r %" PRId64 "\n",
            d->floor, c->min_validators, c->phi_num, c->phi_den, d->reference, d->reserve);
    fprintf(out, "  l - F - r           %" PRId64 "\n", terms.by_floor);
    fprintf(out, "  n - 3 * (f + r) - 1 %" PRId64 "\n", terms.by_thirds);
    if (c->ramp)
        fprintf(out, "  ramp %u + %u * back %u - out %u: %" PRId64 "\n", c->ramp_a, c->ramp_b,
                d->back, d->out, terms.ramp);
    fprintf(out, "  the smallest of these less x, at least 0: %" PRId64 "\n", d->budget);
    if (d->by_power)
        fprintf(out, "  and at most %u validators\n", d->budget_count);
    if (d->overdue > 0)
        fprintf(out, "  %u overdue since a pause in block %" PRIu64 "\n", d->overdue,
                d->overdue_since.n);
}

static void print_line(const struct turns *t, FILE *out)
{
    char moniker[64], address[HEX_TEXT(ADDRESS_SIZE)];
    fprintf(out, "\nin line: %u, with a permit: %u\n", t->draw.candidates, t->draw.permits);
    if (t->draw.candidates == 0)
        return;
    struct table *table =
        table_create("PLACE> PERMIT MONIKER ADDRESS ACCOUNT CLASS> TURNS> JOINED>");
    for (uint32_t r = 0; r < t->draw.candidates; r++) {
        const struct turns_row *row = &t->rows[t->order[r]];
        table_cell(table, "%u", r + 1);
        table_cell(table, "%s", r < t->draw.permits ? "yes" : "-");
        table_cell(table, "%s", shown(row->moniker, moniker));
        table_cell(table, "%s", short_address(row, address));
        table_cell(table, "%s", row->account[0] ? row->account : "-");
        table_cell(table, "%u min", row->seen.join_class);
        table_cell(table, "%u", row->seen.turns);
        table_cell(table, "%" PRIu64, row->seen.join.n);
    }
    table_print(table, out);
    table_destroy(&table);
}

/* Validators that were in no set as far back as was read, and never joined, are many on old networks. */
static bool is_long_gone(const struct turns_row *row)
{
    return !row->member && row->since.n == 0 && row->seen.join.n == 0 && row->seen.pause.n == 0;
}

static void print_others(const struct turns *t, FILE *out)
{
    char moniker[64], address[HEX_TEXT(ADDRESS_SIZE)];
    uint32_t others = 0;
    for (uint32_t i = 0; i < t->count; i++)
        others += t->rows[i].member && t->rows[i].rank == UINT32_MAX;
    fprintf(out, "\nmembers that are not in line: %u\n", others);
    if (others == 0)
        return;
    struct table *table = table_create("MONIKER ADDRESS ACCOUNT WHY");
    for (uint32_t i = 0; i < t->count; i++) {
        const struct turns_row *row = &t->rows[i];
        if (!row->member || row->rank != UINT32_MAX)
            continue;
        table_cell(table, "%s", shown(row->moniker, moniker));
        table_cell(table, "%s", short_address(row, address));
        table_cell(table, "%s", row->account[0] ? row->account : "-");
        table_cell(table, "%s", view_reason_sentence(row->reason));
    }
    table_print(table, out);
    table_destroy(&table);
}

static void out_cells(const struct turns *t, const struct turns_row *row, struct table *table)
{
    char moniker[64], address[HEX_TEXT(ADDRESS_SIZE)], time[TURNS_TIME_MAX];
    table_cell(table, "%s", shown(row->moniker, moniker));
    table_cell(table, "%s", short_address(row, address));
    table_cell(table, "%s", turns_absence_word(row->absence));
    if (row->since.n > 0) {
        table_cell(table, "block %" PRIu64, row->since.n);
        table_cell(table, "%s", turns_time(row->since_ms, time));
    } else {
        table_cell(table, "before block %" PRIu64, t->first.n);
        table_cell(table, "-");
    }
}

static void print_out(const struct turns *t, FILE *out)
{
    uint32_t away = 0, long_gone = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        away += t->rows[i].absence != TURNS_PRESENT && !is_long_gone(&t->rows[i]);
        long_gone += is_long_gone(&t->rows[i]);
    }
    fprintf(out, "\nout or silent: %u\n", away);
    if (away > 0) {
        struct table *table = table_create("MONIKER ADDRESS WHY SINCE TIME");
        for (uint32_t i = 0; i < t->count; i++)
            if (t->rows[i].absence != TURNS_PRESENT && !is_long_gone(&t->rows[i]))
                out_cells(t, &t->rows[i], table);
        table_print(table, out);
        table_destroy(&table);
    }
    if (long_gone > 0)
        fprintf(out, "and %u registered that were in no set since block %" PRIu64 "\n", long_gone,
                t->first.n);
}

void turns_print(const struct turns *turns, FILE *out)
{
    print_heading(turns, out);
    print_budget(turns, out);
    print_line(turns, out);
    print_others(turns, out);
    print_out(turns, out);
}

void turns_print_short(const struct draw *draw, FILE *out)
{
    if (!draw) {
        fprintf(out, "%9s %10s %9s %9s %8s %8s %9s %10s %9s %8s %8s\n", "EPOCH", "BLOCK", "MEMBERS",
                "LIVE", "IN LINE", "USED UP", "FOREIGN", "REFERENCE", "FLOOR", "BUDGET", "PERMITS");
        return;
    }
    fprintf(out,
            "%9" PRIu64 " %10" PRIu64 " %9" PRId64 " %9" PRId64 " %8u %8u %9" PRId64 " %10" PRId64
            " %9" PRId64 " %8" PRId64 " %8u%s\n",
            draw->epoch.n, draw->boundary.n, draw->members, draw->live, draw->candidates,
            draw->used_up, draw->foreign, draw->reference, draw->floor, draw->budget, draw->permits,
            draw->complete ? "" : "  not complete");
}
