#include "sim/devnet.h"

#include <stdio.h>

#include "sim/devnet_internal.h"

int devnet_fail(const struct fault *fault)
{
    fflush(stdout);
    fprintf(stderr, "stagger devnet: %s\n", fault->text);
    return 1;
}

static int process_main(const struct devnet_options *options, const struct devnet_dir *dir)
{
    struct fault fault;
    bool held;
    uint32_t process = options->process;
    if (process != DEVNET_CHAIN && process >= dir->genesis.count)
        return fault_set(&fault, "there is no node %u", process), devnet_fail(&fault);
    if (!devnet_lock_take(dir, process, &held, &fault))
        return devnet_fail(&fault);
    return process == DEVNET_CHAIN ? devnet_chain_main(dir)
                                   : devnet_node_main(dir, process, options->text[OPTION_SOFTWARE]);
}

static int process_run(const struct devnet_options *options)
{
    struct devnet_dir dir;
    struct fault fault;
    if (!devnet_dir_open(options->text[OPTION_DIR], &dir, &fault))
        return devnet_fail(&fault);
    int status = process_main(options, &dir);
    devnet_dir_close(&dir);
    return status;
}

int devnet_main(int argc, char **argv)
{
    struct devnet_options options;
    struct fault fault;
    if (!devnet_options_read(argc, argv, &options, &fault))
        return devnet_fail(&fault);
    switch (options.action) {
    case DEVNET_HELP:
        devnet_usage(stdout);
        return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
    case DEVNET_UP:
        return devnet_supervise(&options);
    case DEVNET_RUN:
        return process_run(&options);
    default:
        return devnet_hand(&options);
    }
}
