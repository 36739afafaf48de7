/* The contract as a whole: made from a descriptor set and protoc-c's descriptors, asked by
 * path. What the set says is read by the neighbours, a file each. */
#include "common/contract/contract.h"

#include "common/contract/contract_parts.h"

#include <stdlib.h>
#include <string.h>

extern const uint8_t descriptors_start[], descriptors_end[]; /* cmake/descriptors.S */

enum { BLOCK_SIZE = 16 * 1024 };

void contract_complain(struct contract_draft *draft, const char *who, const char *fmt, ...)
{
    va_list ap;

    draft->faults++;
    if (!draft->complaints) {
        return;
    }
    fprintf(draft->complaints, "%s: ", who);
    va_start(ap, fmt);
    vfprintf(draft->complaints, fmt, ap);
    va_end(ap);
    fputc('\n', draft->complaints);
}

/* What protoc-c knows already: names and types. Verb, options and words come from the set. */
static void list_methods(struct contract_draft *draft)
{
    struct contract *contract = draft->contract;

    for (const ProtobufCServiceDescriptor *const *s = draft->services; *s; s++) {
        contract->method_count += (*s)->n_methods;
    }
    contract->methods =
        arena_new_array(contract->arena, struct contract_method, contract->method_count + 1);
    draft->described = arena_new_array(contract->arena, bool, contract->method_count + 1);

    struct contract_method *method = contract->methods;
    for (const ProtobufCServiceDescriptor *const *s = draft->services; *s; s++) {
        for (unsigned i = 0; i < (*s)->n_methods; i++, method++) {
            const ProtobufCMethodDescriptor *from = &(*s)->methods[i];

            method->service = (*s)->name;
            method->name = from->name;
            method->path = arena_printf(contract->arena, "/%s/%s", (*s)->name, from->name);
            method->in = from->input;
            method->out = from->output;
            method->comment = "";
        }
    }
}

static int by_path(const void *a, const void *b)
{
    const struct contract_method *const *x = a, *const *y = b;

    return strcmp((*x)->path, (*y)->path);
}

static void sort_methods(struct contract *contract)
{
    contract->by_path = arena_new_array(contract->arena, const struct contract_method *,
                                        contract->method_count + 1);
    for (size_t i = 0; i < contract->method_count; i++) {
        contract->by_path[i] = &contract->methods[i];
    }
    qsort(contract->by_path, contract->method_count, sizeof(void *), by_path);
}

/* 'set' lives as long as the contract. */
static struct contract *make(struct arena *arena, const void *set, size_t size,
                             const ProtobufCServiceDescriptor *const *services, FILE *complaints)
{
    struct contract *contract = arena_new_struct(arena, struct contract);
    struct contract_draft draft = {
        .contract = contract, .services = services, .complaints = complaints};

    contract->arena = arena;
    list_methods(&draft);
    contract_collect_messages(&draft);
    contract_read_files(&draft, set, size);
    contract_finish_files(&draft);
    contract_finish_rules(&draft);
    sort_methods(contract);
    contract_find_faults(&draft);
    if (draft.faults) {
        contract_free(contract);
        return NULL;
    }
    return contract;
}

struct contract *contract_new(const ProtobufCServiceDescriptor *const *services, void *complaints)
{
    return make(arena_new(BLOCK_SIZE), descriptors_start,
                (size_t)(descriptors_end - descriptors_start), services, complaints);
}

struct contract *contract_new_from(const void *descriptor_set, size_t size,
                                   const ProtobufCServiceDescriptor *const *services,
                                   void *complaints)
{
    struct arena *arena = arena_new(BLOCK_SIZE);
    void *copy = arena_alloc(arena, size + 1);

    memcpy(copy, descriptor_set, size);
    return make(arena, copy, size, services, complaints);
}

void contract_free(struct contract *contract)
{
    if (contract) {
        arena_free(contract->arena);
    }
}

size_t contract_count(const struct contract *contract)
{
    return contract->method_count;
}

const struct contract_method *contract_at(const struct contract *contract, size_t i)
{
    return &contract->methods[i];
}

const struct contract_method *contract_find(const struct contract *contract, const char *path)
{
    struct contract_method wanted = {.path = path};
    const struct contract_method *key = &wanted;
    const struct contract_method *const *found =
        bsearch(&key, contract->by_path, contract->method_count, sizeof(void *), by_path);

    return found ? *found : NULL;
}
