/* The files of the descriptor set: read one after the other, and kept as bytes with the
 * names in them, which is what gRPC reflection answers from. */
#include "common/contract/contract_parts.h"

#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_TAG = 0x0a, SCRATCH_BLOCK = 64 * 1024 }; /* FileDescriptorSet.file, length-delimited */

static void *scratch_alloc(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void scratch_keep(void *arena, void *memory)
{
    (void)arena;
    (void)memory; /* goes with its arena */
}

/* One file's bytes from the front of the set; false when there is none whole. */
static bool next_file(const uint8_t **at, const uint8_t *end, struct contract_file *file)
{
    const uint8_t *p = *at;
    size_t size = 0;
    unsigned shift = 0;

    if (p == end || *p++ != FILE_TAG) {
        return false;
    }
    for (;; shift += 7) {
        if (p == end || shift > 28) {
            return false;
        }
        size |= (size_t)(*p & 0x7f) << shift;
        if (!(*p++ & 0x80)) {
            break;
        }
    }
    if (size > (size_t)(end - p)) {
        return false;
    }
    file->bytes = p;
    file->size = size;
    *at = p + size;
    return true;
}

static void add_symbol(struct contract_draft *draft, size_t file, const char *scope,
                       const char *name)
{
    struct contract *contract = draft->contract;

    if (contract->symbol_count == draft->symbol_room) {
        draft->symbol_room = draft->symbol_room ? draft->symbol_room * 2 : 256;
        struct symbol *more = arena_new_array(contract->arena, struct symbol, draft->symbol_room);
        if (contract->symbol_count) {
            memcpy(more, contract->symbols, contract->symbol_count * sizeof(*more));
        }
        contract->symbols = more;
    }
    contract->symbols[contract->symbol_count++] = (struct symbol){
        .name = *scope ? arena_printf(contract->arena, "%s.%s", scope, name)
                       : arena_strdup(contract->arena, name),
        .file = file,
    };
}

static const char *newest_symbol(const struct contract *contract)
{
    return contract->symbols[contract->symbol_count - 1].name;
}

static void add_message(struct contract_draft *draft, size_t file, const char *scope,
                        const Google__Protobuf__DescriptorProto *message)
{
    add_symbol(draft, file, scope, message->name);
    const char *name = newest_symbol(draft->contract);
    for (size_t i = 0; i < message->n_nested_type; i++) {
        add_message(draft, file, name, message->nested_type[i]);
    }
    for (size_t i = 0; i < message->n_enum_type; i++) {
        add_symbol(draft, file, name, message->enum_type[i]->name);
    }
}

static void add_symbols(struct contract_draft *draft, size_t index,
                        const Google__Protobuf__FileDescriptorProto *file)
{
    const char *scope = file->package ? file->package : "";

    for (size_t i = 0; i < file->n_message_type; i++) {
        add_message(draft, index, scope, file->message_type[i]);
    }
    for (size_t i = 0; i < file->n_enum_type; i++) {
        add_symbol(draft, index, scope, file->enum_type[i]->name);
    }
    for (size_t i = 0; i < file->n_extension; i++) {
        add_symbol(draft, index, scope, file->extension[i]->name);
    }
    for (size_t i = 0; i < file->n_service; i++) {
        add_symbol(draft, index, scope, file->service[i]->name);
        const char *name = newest_symbol(draft->contract);
        for (size_t m = 0; m < file->service[i]->n_method; m++) {
            add_symbol(draft, index, name, file->service[i]->method[m]->name);
        }
    }
}

static void read_file(struct contract_draft *draft, size_t index)
{
    struct contract_file *file = &draft->contract->files[index];
    AUTO(arena) struct arena *scratch = arena_new(SCRATCH_BLOCK);

    draft->scratch = (ProtobufCAllocator){
        .alloc = scratch_alloc, .free = scratch_keep, .allocator_data = scratch};
    const Google__Protobuf__FileDescriptorProto *read =
        google__protobuf__file_descriptor_proto__unpack(&draft->scratch, file->size, file->bytes);
    if (!read || !read->name) {
        contract_complain(draft, "descriptor set", "file %zu cannot be read", index);
        return;
    }
    file->name = arena_strdup(draft->contract->arena, read->name);
    add_symbols(draft, index, read);
    contract_describe(draft, read);
}

void contract_read_files(struct contract_draft *draft, const void *set, size_t size)
{
    struct contract *contract = draft->contract;
    const uint8_t *end = (const uint8_t *)set + size;
    struct contract_file file;
    size_t count = 0;

    for (const uint8_t *at = set; next_file(&at, end, &file);) {
        count++;
    }
    contract->files = arena_new_array(contract->arena, struct contract_file, count + 1);
    const uint8_t *at = set;
    for (size_t i = 0; i < count && next_file(&at, end, &contract->files[i]); i++) {
        contract->file_count++;
        read_file(draft, i);
    }
    if (at != end || !count) {
        contract_complain(draft, "descriptor set", "is cut off or is none");
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

void contract_finish_files(struct contract_draft *draft)
{
    if (draft->contract->symbol_count) {
        qsort(draft->contract->symbols, draft->contract->symbol_count, sizeof(struct symbol),
              by_name);
    }
}

const struct contract_file *contract_file_named(const struct contract *contract, const char *name)
{
    for (size_t i = 0; i < contract->file_count; i++) {
        if (text_equal(contract->files[i].name, name)) {
            return &contract->files[i];
        }
    }
    return NULL;
}

const struct contract_file *contract_file_of(const struct contract *contract, const char *symbol)
{
    struct symbol wanted = {.name = symbol};
    const struct symbol *found =
        bsearch(&wanted, contract->symbols, contract->symbol_count, sizeof(wanted), by_name);

    return found ? &contract->files[found->file] : NULL;
}
