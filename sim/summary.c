/* The summary of many seeds. */
#include <stdlib.h>

#include "sim/report.h"

struct report_sample report_sample(const struct result *row)
{
    return (struct report_sample){row->makespan_s, (double)row->min_live, row->wall_s,
                                  row->violation_count};
}

static int ascending(double a, double b)
{
    return (a > b) - (a < b);
}

static int by_makespan(const void *a, const void *b)
{
    return ascending(((const struct report_sample *)a)->makespan_s,
                     ((const struct report_sample *)b)->makespan_s);
}

static int by_live(const void *a, const void *b)
{
    return ascending(((const struct report_sample *)a)->min_live,
                     ((const struct report_sample *)b)->min_live);
}

static int by_wall(const void *a, const void *b)
{
    return ascending(((const struct report_sample *)a)->wall_s,
                     ((const struct report_sample *)b)->wall_s);
}

struct summary report_summarise(struct report_sample *samples, uint64_t count)
{
    struct summary s = {
        .runs = count, .makespan_min = -1, .makespan_median = -1, .makespan_max = -1};
    s.live_min = s.live_median = s.live_max = s.wall_min = s.wall_median = s.wall_max = -1;
    if (count == 0)
        return s;
    uint64_t low = (count - 1) / 2, high = count / 2, unfinished = 0;
    qsort(samples, count, sizeof *samples, by_live);
    s.live_min = samples[0].min_live;
    s.live_median = (samples[low].min_live + samples[high].min_live) / 2;
    s.live_max = samples[count - 1].min_live;
    qsort(samples, count, sizeof *samples, by_wall);
    s.wall_min = samples[0].wall_s;
    s.wall_median = (samples[low].wall_s + samples[high].wall_s) / 2;
    s.wall_max = samples[count - 1].wall_s;
    qsort(samples, count, sizeof *samples, by_makespan);
    for (uint64_t i = 0; i < count; i++) {
        s.violations += samples[i].violations;
        unfinished += samples[i].makespan_s < 0;
    }
    s.finished = count - unfinished;
    if (s.finished == 0)
        return s;
    const struct report_sample *first = samples + unfinished;
    s.makespan_min = first[0].makespan_s;
    s.makespan_median =
        (first[(s.finished - 1) / 2].makespan_s + first[s.finished / 2].makespan_s) / 2;
    s.makespan_max = first[s.finished - 1].makespan_s;
    return s;
}
