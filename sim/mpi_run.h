/* A sweep over the processes that mpirun starts: `mpirun -n 8 stagger sim --seeds 1..10000 --mpi`.
 *
 * Every process (a rank) reads the same command line and the same files and runs its own seeds, in
 * lockstep of batches: of each batch rank r of R takes seeds r, r + R, r + 2R and so on. After each
 * batch rank 0 has all of its rows, in the order of the seeds, and does with them what one process
 * does with its own. Only rank 0 writes files and speaks to people.
 *
 *     rank 0   run 1 4 7 ..  ┐
 *     rank 1   run 2 5 8 ..  ├─ gather ─> rank 0: rows, summary, command that repeats a failure
 *     rank 2   run 3 6 9 ..  ┘
 *
 * All functions but mpi_group_begin() are collective: every rank calls them in the same order, so
 * each decision to stop is agreed upon first. The ranks are the same executable on machines of one
 * kind. Without MPI at build time there is one rank, and `--mpi` is refused with the remedy.
 */
#ifndef STAGGER_SIM_MPI_RUN_H
#define STAGGER_SIM_MPI_RUN_H

#include "sim/run.h"

#define MPI_NAME_MAX 40 /* of a strategy or invariant */

struct mpi_group {
    int rank, size;
    bool begun;
    char (*names)[MPI_NAME_MAX]; /* owned: what gathered rows point to */
};

#define MPI_GROUP_ALONE                                                                            \
    (struct mpi_group)                                                                             \
    {                                                                                              \
        0, 1, false, NULL                                                                          \
    }

#ifdef STAGGER_MPI

struct mpi_group mpi_group_begin(void);
void mpi_group_end(struct mpi_group *group);

/* True on every rank when all say `ok`; else false, with the error of the first that does not. */
bool mpi_group_agree(const struct mpi_group *group, bool ok, char error[CONFIG_ERROR_MAX]);

/* Brings `count` rows of each rank to rank 0: row k of rank r becomes all[r + k * size]. `all` is
 * unused elsewhere. Names in the rows stay valid until mpi_group_end(). For a group that is begun. */
bool mpi_group_gather(const struct mpi_group *group, const struct result *own, uint32_t count,
                      struct result *all, char error[CONFIG_ERROR_MAX]);

#else

static inline struct mpi_group mpi_group_begin(void)
{
    return MPI_GROUP_ALONE;
}

static inline void mpi_group_end(struct mpi_group *group)
{
    (void)group;
}

static inline bool mpi_group_agree(const struct mpi_group *group, bool ok,
                                   char error[CONFIG_ERROR_MAX])
{
    (void)group;
    (void)error;
    return ok;
}

static inline bool mpi_group_gather(const struct mpi_group *group, const struct result *own,
                                    uint32_t count, struct result *all,
                                    char error[CONFIG_ERROR_MAX])
{
    (void)group;
    (void)own;
    (void)count;
    (void)all;
    (void)error;
    return true;
}

#endif

#endif
