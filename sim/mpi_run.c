#include "sim/mpi_run.h"

#ifdef STAGGER_MPI

#include <assert.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 64
#define TAG_ROWS 1

/* A row on its way. Pointers mean nothing elsewhere, so names travel as text. */
struct wire {
    struct result row;
    char strategy[MPI_NAME_MAX];
    char invariants[VIOLATIONS_KEPT][MPI_NAME_MAX];
};

struct mpi_group mpi_group_begin(void)
{
    struct mpi_group group = {.begun = true};
    int level;
    group.names = calloc(NAMES_MAX, sizeof *group.names);
    assert(group.names);
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level); /* the others run seeds, no more */
    MPI_Comm_rank(MPI_COMM_WORLD, &group.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &group.size);
    return group;
}

void mpi_group_end(struct mpi_group *group)
{
    if (group->begun)
        MPI_Finalize();
    free(group->names);
    *group = MPI_GROUP_ALONE;
}

bool mpi_group_agree(const struct mpi_group *group, bool ok, char error[CONFIG_ERROR_MAX])
{
    int mine = ok ? group->size : group->rank, first;
    if (!group->begun)
        return ok;
    MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (first == group->size)
        return true;
    MPI_Bcast(error, CONFIG_ERROR_MAX, MPI_CHAR, first, MPI_COMM_WORLD);
    return false;
}

/* --- rows --- */

static void pack(struct wire *wire, const struct result *row)
{
    memset(wire, 0, sizeof *wire);
    wire->row = *row;
    snprintf(wire->strategy, MPI_NAME_MAX, "%s", row->strategy);
    for (uint32_t i = 0; i < row->violation_count && i < VIOLATIONS_KEPT; i++)
        snprintf(wire->invariants[i], MPI_NAME_MAX, "%s", row->violations[i].invariant);
}

/* The names are few: strategies and invariants. */
static const char *name_kept(const struct mpi_group *group, const char *name)
{
    for (size_t i = 0; i < NAMES_MAX; i++) {
        char *kept = group->names[i];
        if (kept[0] == '\0')
            memcpy(kept, name, MPI_NAME_MAX);
        if (strcmp(kept, name) == 0)
            return kept;
    }
    assert(false); /* more names than there are */
    return "";
}

static void unpack(const struct mpi_group *group, struct result *row, const struct wire *wire)
{
    *row = wire->row;
    row->strategy = name_kept(group, wire->strategy);
    for (uint32_t i = 0; i < row->violation_count && i < VIOLATIONS_KEPT; i++)
        row->violations[i].invariant = name_kept(group, wire->invariants[i]);
}

static void send_rows(const struct wire *own, uint32_t count)
{
    MPI_Send(own, (int)(count * sizeof *own), MPI_BYTE, 0, TAG_ROWS, MPI_COMM_WORLD);
}

static void take_rows(const struct mpi_group *group, struct wire *room, uint32_t count,
                      struct result *all)
{
    for (int rank = 0; rank < group->size; rank++) {
        if (rank > 0)
            MPI_Recv(room, (int)(count * sizeof *room), MPI_BYTE, rank, TAG_ROWS, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
        for (uint32_t k = 0; k < count; k++)
            unpack(group, &all[(uint32_t)rank + k * (uint32_t)group->size], &room[k]);
    }
}

bool mpi_group_gather(const struct mpi_group *group, const struct result *own, uint32_t count,
                      struct result *all, char error[CONFIG_ERROR_MAX])
{
    struct wire *room = calloc((size_t)count + 1, sizeof *room);
    if (!room)
        snprintf(error, CONFIG_ERROR_MAX, "--mpi: out of memory; start fewer processes a machine");
    if (!mpi_group_agree(group, room != NULL, error)) {
        free(room);
        return false;
    }
    for (uint32_t k = 0; k < count; k++)
        pack(&room[k], &own[k]);
    if (group->rank == 0)
        take_rows(group, room, count, all);
    else
        send_rows(room, count);
    free(room);
    return true;
}

#endif
