#include "tests/journal_sim.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_HANDLE 1000

uint64_t sim_chance(struct sim *sim, uint64_t below)
{
    uint64_t x = sim->seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (x ^ x >> 31) % below;
}

/* Counts an operation; *dying is set for the one within which the process dies. */
static bool works(struct sim *sim, bool *dying)
{
    *dying = !sim->dead && sim->operations == sim->die_at;
    sim->operations++;
    if (sim->dead)
        return false;
    sim->dead = *dying;
    return true;
}

/* --- content --- */

static void apply(uint8_t **bytes, size_t *size, const uint8_t *data, size_t count, uint64_t offset)
{
    if (offset + count > *size) {
        *bytes = realloc(*bytes, offset + count + 1);
        assert(*bytes);
        memset(*bytes + *size, 0, offset + count - *size);
        *size = offset + count;
    }
    if (count > 0)
        memcpy(*bytes + offset, data, count);
}

static void apply_cut(uint8_t **bytes, size_t *size, uint64_t to)
{
    if (to < *size)
        *size = to;
    else
        apply(bytes, size, NULL, 0, to);
}

static void copy_content(uint8_t **to, size_t *to_size, const uint8_t *from, size_t size)
{
    *to = realloc(*to, size + 1);
    assert(*to);
    if (size > 0)
        memcpy(*to, from, size);
    *to_size = size;
}

static void note_write(struct sim *sim, uint32_t file, const uint8_t *data, size_t size,
                       uint64_t offset)
{
    assert(sim->write_count < SIM_WRITES);
    struct sim_write *w = &sim->writes[sim->write_count++];
    *w = (struct sim_write){.file = file, .offset = offset, .size = size};
    if (!data)
        return;
    w->data = malloc(size + 1);
    assert(w->data);
    memcpy(w->data, data, size);
}

static void drop_writes(struct sim *sim, uint32_t file)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sim->write_count; i++) {
        if (sim->writes[i].file == file)
            free(sim->writes[i].data);
        else
            sim->writes[kept++] = sim->writes[i];
    }
    sim->write_count = kept;
}

/* The disk was writing whole blocks of 4 KB when the power went: what else stood in them is gone too. */
static void garble(struct sim *sim, const struct sim_write *w)
{
    struct sim_file *f = &sim->files[w->file];
    uint64_t end = (w->offset + w->size + 4095) / 4096 * 4096;
    for (uint64_t at = w->offset / 4096 * 4096; at < end; at += 8) {
        uint64_t noise = sim_chance(sim, UINT64_MAX);
        apply(&f->durable, &f->durable_size, (const uint8_t *)&noise, 8, at);
    }
}

/* A part of a write, which any sector of it may be missing from; now and then torn within a sector. */
static void apply_torn(struct sim *sim, const struct sim_write *w)
{
    struct sim_file *f = &sim->files[w->file];
    if (!w->data) {
        apply_cut(&f->durable, &f->durable_size, w->offset);
        return;
    }
    uint64_t how = sim_chance(sim, 5);
    if (how == 4) {
        garble(sim, w);
    } else if (how == 0) {
        apply(&f->durable, &f->durable_size, w->data, w->size, w->offset);
    } else if (how == 1) {
        size_t from = sim_chance(sim, w->size + 1), to = from + sim_chance(sim, w->size - from + 1);
        apply(&f->durable, &f->durable_size, w->data + from, to - from, w->offset + from);
    } else {
        for (size_t at = 0; at < w->size;) {
            size_t end = (size_t)((w->offset + at) / 512 * 512 + 512 - w->offset);
            end = end < w->size ? end : w->size;
            if (sim_chance(sim, 2))
                apply(&f->durable, &f->durable_size, w->data + at, end - at, w->offset + at);
            at = end;
        }
    }
}

/* --- names --- */

static struct sim_name *name_slot(struct sim_name *names, const char *name)
{
    struct sim_name *empty = NULL;
    for (int i = 0; i < SIM_NAMES; i++) {
        if (strcmp(names[i].name, name) == 0)
            return &names[i];
        if (!names[i].name[0] && !empty)
            empty = &names[i];
    }
    assert(empty && strlen(name) < sizeof empty->name);
    strcpy(empty->name, name);
    empty->file = -1;
    return empty;
}

static void set_name(struct sim *sim, const char *name, int file)
{
    assert(sim->name_op_count < SIM_NAME_OPS);
    struct sim_name *op = &sim->name_ops[sim->name_op_count++];
    *op = (struct sim_name){.file = file};
    strcpy(op->name, name);
    name_slot(sim->names, name)->file = file;
}

static uint32_t new_file(struct sim *sim)
{
    assert(sim->file_count < SIM_FILES);
    return sim->file_count++;
}

/* --- the interface --- */

static int open_handle(struct sim *sim, int file)
{
    for (int i = 0; i < SIM_OPEN; i++)
        if (sim->handles[i] == 0) {
            sim->handles[i] = file + 1;
            return i;
        }
    assert(!(bool)"a test without leaks");
    return -EMFILE;
}

static struct sim_file *file_of(struct sim *sim, int handle)
{
    assert(handle >= 0 && handle < SIM_OPEN && sim->handles[handle] > 0);
    return &sim->files[sim->handles[handle] - 1];
}

static int sim_open_name(void *owner, const char *name)
{
    struct sim *sim = owner;
    int file = name_slot(sim->names, name)->file;
    if (sim->dead)
        return -EIO;
    return file < 0 ? -ENOENT : open_handle(sim, file);
}

static int sim_create(void *owner, const char *name)
{
    struct sim *sim = owner;
    bool dying;
    if (!works(sim, &dying))
        return -EIO;
    if (sim->room == 0)
        return -ENOSPC;
    uint32_t file = new_file(sim); /* the old content of that name is not needed by anybody */
    set_name(sim, name, (int)file);
    return dying ? -EIO : open_handle(sim, (int)file);
}

static int64_t sim_size(void *owner, int handle)
{
    return (int64_t)file_of(owner, handle)->now_size;
}

static int64_t sim_read(void *owner, int handle, void *bytes, size_t size, uint64_t offset)
{
    struct sim *sim = owner;
    const struct sim_file *f = file_of(sim, handle);
    if (sim->dead)
        return -EIO;
    if (offset >= f->now_size)
        return 0;
    size_t rest = f->now_size - (size_t)offset;
    size = size < rest ? size : rest;
    memcpy(bytes, f->now + offset, size);
    return (int64_t)size;
}

static int64_t sim_write(void *owner, int handle, const void *bytes, size_t size, uint64_t offset)
{
    struct sim *sim = owner;
    bool dying;
    if (!works(sim, &dying))
        return -EIO;
    if (dying && size > 0)
        size = sim_chance(sim, size + 1);
    struct sim_file *f = file_of(sim, handle);
    size_t grows = offset + size > f->now_size ? (size_t)(offset + size - f->now_size) : 0;
    if (sim->room >= 0 && (int64_t)grows > sim->room) {
        if (sim->room == 0)
            return -ENOSPC;
        size -= grows - (size_t)sim->room;
        grows = (size_t)sim->room;
    }
    if (sim->room >= 0)
        sim->room -= (int64_t)grows;
    apply(&f->now, &f->now_size, bytes, size, offset);
    note_write(sim, (uint32_t)(sim->handles[handle] - 1), bytes, size, offset);
    return dying ? -EIO : (int64_t)size;
}

static int sim_cut(void *owner, int handle, uint64_t size)
{
    struct sim *sim = owner;
    bool dying;
    if (!works(sim, &dying))
        return -EIO;
    struct sim_file *f = file_of(sim, handle);
    apply_cut(&f->now, &f->now_size, size);
    note_write(sim, (uint32_t)(sim->handles[handle] - 1), NULL, 0, size);
    return dying ? -EIO : 0;
}

static int sim_sync(void *owner, int handle)
{
    struct sim *sim = owner;
    bool dying;
    struct sim_file *f = file_of(sim, handle);
    uint32_t file = (uint32_t)(sim->handles[handle] - 1);
    if (!works(sim, &dying))
        return -EIO;
    if (dying && sim_chance(sim, 2)) /* before anything reached the disk */
        return -EIO;
    if (sim->sync_fails > 0) {
        sim->sync_fails--;
        drop_writes(sim, file);
        return -EIO;
    }
    /* what was dropped by a sync that failed is on no disk: only the writes since */
    for (uint32_t i = 0; i < sim->write_count; i++) {
        const struct sim_write *w = &sim->writes[i];
        if (w->file == file && w->data)
            apply(&f->durable, &f->durable_size, w->data, w->size, w->offset);
        else if (w->file == file)
            apply_cut(&f->durable, &f->durable_size, w->offset);
    }
    drop_writes(sim, file);
    sim->syncs++;
    return dying ? -EIO : 0;
}

static void sim_close_handle(void *owner, int handle)
{
    struct sim *sim = owner;
    if (handle == LOCK_HANDLE)
        sim->locked = 0;
    else
        sim->handles[handle] = 0;
}

static int sim_rename(void *owner, const char *from, const char *to)
{
    struct sim *sim = owner;
    bool dying;
    if (!works(sim, &dying))
        return -EIO;
    int file = name_slot(sim->names, from)->file;
    if (file < 0)
        return -ENOENT;
    set_name(sim, to, file);
    sim->name_ops[sim->name_op_count - 1].file = file;
    set_name(sim, from, -1);
    return dying ? -EIO : 0;
}

static int sim_link(void *owner, const char *from, const char *to)
{
    struct sim *sim = owner;
    bool dying;
    if (!works(sim, &dying))
        return -EIO;
    int file = name_slot(sim->names, from)->file;
    if (file < 0 || sim->no_links)
        return sim->no_links ? -EPERM : -ENOENT;
    set_name(sim, to, -1);
    set_name(sim, to, file);
    return dying ? -EIO : 0;
}

static int sim_remove(void *owner, const char *name)
{
    struct sim *sim = owner;
    bool dying;
    if (!works(sim, &dying))
        return -EIO;
    if (name_slot(sim->names, name)->file < 0)
        return -ENOENT;
    set_name(sim, name, -1);
    return dying ? -EIO : 0;
}

static int sim_sync_names(void *owner)
{
    struct sim *sim = owner;
    bool dying;
    if (!works(sim, &dying))
        return -EIO;
    if (dying && sim_chance(sim, 2))
        return -EIO;
    memcpy(sim->durable_names, sim->names, sizeof sim->names);
    sim->name_op_count = 0;
    return dying ? -EIO : 0;
}

static int sim_lock(void *owner, char holder[80])
{
    struct sim *sim = owner;
    strcpy(holder, "process 42");
    if (sim->dead)
        return -EIO;
    if (sim->locked)
        return -EWOULDBLOCK;
    sim->locked = 1;
    return LOCK_HANDLE;
}

static uint64_t sim_stamp(void *owner)
{
    return UINT64_C(1700000000000000000) + ++((struct sim *)owner)->stamps;
}

struct journal_disk sim_disk(struct sim *sim)
{
    return (struct journal_disk){
        .owner = sim,
        .open = sim_open_name,
        .open_again = sim_open_name,
        .create = sim_create,
        .size = sim_size,
        .read = sim_read,
        .write = sim_write,
        .cut = sim_cut,
        .sync = sim_sync,
        .close = sim_close_handle,
        .rename = sim_rename,
        .link = sim_link,
        .remove = sim_remove,
        .sync_names = sim_sync_names,
        .lock = sim_lock,
        .stamp = sim_stamp,
    };
}

/* --- life and death --- */

void sim_open(struct sim *sim, uint64_t seed)
{
    sim_close(sim);
    memset(sim, 0, sizeof *sim);
    sim->seed = seed;
    sim->die_at = sim->room = -1;
}

void sim_close(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->file_count; i++) {
        free(sim->files[i].now);
        free(sim->files[i].durable);
    }
    for (uint32_t i = 0; i < sim->write_count; i++)
        free(sim->writes[i].data);
    sim->file_count = sim->write_count = 0;
}

/* Each write may have reached the disk or not, and whichever order they went in, a part of each. */
static void lose_power(struct sim *sim)
{
    for (uint32_t i = sim->write_count; i > 1; i--) {
        uint64_t other = sim_chance(sim, i);
        struct sim_write swap = sim->writes[i - 1];
        sim->writes[i - 1] = sim->writes[other];
        sim->writes[other] = swap;
    }
    bool all = sim_chance(sim, 8) == 0;
    for (uint32_t i = 0; i < sim->write_count; i++)
        if (all || sim_chance(sim, 2))
            apply_torn(sim, &sim->writes[i]);
    uint64_t reached = sim_chance(sim, sim->name_op_count + 1);
    for (uint64_t i = 0; i < reached; i++)
        name_slot(sim->durable_names, sim->name_ops[i].name)->file = sim->name_ops[i].file;
    memcpy(sim->names, sim->durable_names, sizeof sim->names);
    for (uint32_t i = 0; i < sim->file_count; i++) {
        struct sim_file *f = &sim->files[i];
        copy_content(&f->now, &f->now_size, f->durable, f->durable_size);
    }
    for (uint32_t i = 0; i < sim->write_count; i++)
        free(sim->writes[i].data);
    sim->write_count = 0;
    sim->name_op_count = 0;
}

void sim_restart(struct sim *sim, bool power_lost)
{
    memset(sim->handles, 0, sizeof sim->handles);
    sim->locked = 0;
    sim->dead = false;
    sim->die_at = -1;
    sim->operations = 0;
    if (power_lost)
        lose_power(sim);
}

struct sim_file *sim_find(struct sim *sim, const char *name)
{
    int file = name_slot(sim->names, name)->file;
    return file < 0 ? NULL : &sim->files[file];
}

void sim_put(struct sim *sim, const char *name, const uint8_t *bytes, size_t size)
{
    uint32_t file = new_file(sim);
    struct sim_file *f = &sim->files[file];
    copy_content(&f->now, &f->now_size, bytes, size);
    copy_content(&f->durable, &f->durable_size, bytes, size);
    name_slot(sim->names, name)->file = (int)file;
    name_slot(sim->durable_names, name)->file = (int)file;
}
