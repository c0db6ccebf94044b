/* Writes the journal of a member's turn into a directory: journal_tool DIR [EVENT]; with EVENT the effects of that step
 * are recorded wrongly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/journal_record.h"

static struct member_world w;

int main(int argc, char **argv)
{
    struct journal_disk disk;
    struct fault fault;
    if (argc < 2 || !journal_disk_open(argv[1], &disk, &fault)) {
        fprintf(stderr, "usage: journal_tool DIR [EVENT]\n");
        return 1;
    }
    recorder.falsify = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    record_turn(&w, &disk);
    record_close();
    journal_disk_close(&disk);
    printf("%llu\n", (unsigned long long)recorder.events);
    world_close(&w);
    return 0;
}
