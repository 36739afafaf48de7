/* links: test_contracts */
/* What must not start. The good descriptor set of the tests is spoiled in one place at a time,
 * as a careless edit of a .proto would, and the contract has to complain about that place. */
#include "common/contract/contract.h"

#include "common/base/text.h"
#include "tests/helpers/house_test.h"

#include "everything/options.pb-c.h"
#include "google/api/http.pb-c.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "test/kinds/v1/kinds.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_HTTP = 72295728, OPTION_CALL = 50001, OPTION_FIELD = 50002, SET_SIZE = 512 * 1024 };

typedef Google__Protobuf__FileDescriptorSet file_set;

static const ProtobufCServiceDescriptor *const services[] = {
    &test__kinds__v1__kinds_service__descriptor, NULL};

static struct arena *arena;
static file_set *set;

static void before(void)
{
    FILE *file = fopen(TEST_DESCRIPTORS, "rb");

    ck_assert_ptr_nonnull(file);
    arena = arena_new(4096);
    uint8_t *bytes = arena_alloc(arena, SET_SIZE);
    size_t size = fread(bytes, 1, SET_SIZE, file);
    fclose(file);
    set = google__protobuf__file_descriptor_set__unpack(NULL, size, bytes);
    ck_assert_ptr_nonnull(set);
}

static void after(void)
{
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
    arena_free(arena);
}

static Google__Protobuf__FileDescriptorProto *kinds(void)
{
    for (size_t i = 0; i < set->n_file; i++) {
        if (strcmp(set->file[i]->name, "test/kinds/v1/kinds.proto") == 0) {
            return set->file[i];
        }
    }
    ck_abort_msg("no kinds.proto");
    return NULL;
}

static ProtobufCMessageUnknownField *option(ProtobufCMessage *options, uint32_t number)
{
    for (unsigned i = 0; i < options->n_unknown_fields; i++) {
        if (options->unknown_fields[i].tag == number) {
            return &options->unknown_fields[i];
        }
    }
    ck_abort_msg("no option %u", number);
    return NULL;
}

/* An option's bytes begin with their own length, as protobuf-c keeps them. */
static void put_option(ProtobufCMessageUnknownField *field, const ProtobufCMessage *value)
{
    size_t size = protobuf_c_message_get_packed_size(value);

    ck_assert_uint_lt(size, 1 << 14);
    free(field->data);
    field->data = malloc(size + 2);
    field->data[0] = (uint8_t)(size | 0x80);
    field->data[1] = (uint8_t)(size >> 7);
    protobuf_c_message_pack(value, field->data + 2);
    field->len = size + 2;
}

static ProtobufCMessage *method_options(size_t method)
{
    return &kinds()->service[0]->method[method]->options->base;
}

static const char *start_complaints(void)
{
    char *words = arena_alloc(arena, 8192);
    size_t size = google__protobuf__file_descriptor_set__get_packed_size(set);
    uint8_t *bytes = arena_alloc(arena, size + 1);
    FILE *complaints = fmemopen(words, 8191, "w");

    google__protobuf__file_descriptor_set__pack(set, bytes);
    struct contract *contract = contract_new_from(bytes, size, services, complaints);
    fclose(complaints);
    ck_assert_msg(!contract == (*words != '\0'), "%s", words);
    contract_free(contract);
    return words;
}

START_TEST(the_set_is_good_before_it_is_spoiled)
{
    ck_assert_str_eq(start_complaints(), "");
}
END_TEST

START_TEST(a_method_without_call_options_does_not_start)
{
    option(method_options(0), OPTION_CALL)->tag = 50009;
    ck_assert_ptr_nonnull(
        strstr(start_complaints(), "/test.kinds.v1.KindsService/Echo: has no (everything.call)"));
}
END_TEST

START_TEST(call_options_that_mean_nothing_do_not_start)
{
    static const struct {
        int role, success, deadline_ms;
        const char *limit, *location, *etag, *problem, *words;
    } cases[] = {
        {0,  0,   0,  "",      "",               "",        "",        "names role 0, which is unknown"        },
        {42, 0,   0,  "",      "",               "",        "",        "names role 42, which is unknown"       },
        {42, 0,   0,  "",      "",               "",        "",        "names no role"                         },
        {1,  0,   0,  "often", "",               "",        "",        "rate class \"often\" is unknown"       },
        {1,  0,   0,  "",      "",               "",        "no_such", "problem \"no_such\" is not in status.h"},
        {1,  302, 0,  "",      "",               "",        "",        "success 302 is no status of success"   },
        {1,  0,   -1, "",      "",               "",        "",        "deadline_ms is negative"               },
        {1,  0,   0,  "",      "/kinds/{name}",  "",        "",        "name is no field of"                   },
        {1,  0,   0,  "",      "/kinds/{texts}", "",        "",        "texts is no field of"                  },
        {1,  0,   0,  "",      "",               "version", "",        "etag \"version\" is no field of"       },
        {1,  0,   0,  "",      "",               "inner",   "",        "etag \"inner\" is no field of"         },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Everything__Call call = EVERYTHING__CALL__INIT;
        Everything__Role role = (Everything__Role)cases[i].role;
        char *problem = arena_strdup(arena, cases[i].problem);

        call.n_roles = 1;
        call.roles = &role;
        call.success = cases[i].success;
        call.deadline_ms = cases[i].deadline_ms;
        call.limit = arena_strdup(arena, cases[i].limit);
        call.location = arena_strdup(arena, cases[i].location);
        call.etag = arena_strdup(arena, cases[i].etag);
        call.n_problems = *cases[i].problem != '\0';
        call.problems = &problem;
        put_option(option(method_options(0), OPTION_CALL), &call.base);
        const char *words = start_complaints();
        ck_assert_msg(strstr(words, cases[i].words) != NULL, "%s: %s", cases[i].words, words);
    }
}
END_TEST

START_TEST(routes_that_cannot_be_served_do_not_start)
{
    static const struct {
        Google__Api__HttpRule__PatternCase verb;
        const char *path, *body, *words;
    } cases[] = {
        {GOOGLE__API__HTTP_RULE__PATTERN_GET,  "/kinds/{other}",    "",   "other is no field of"        },
        {GOOGLE__API__HTTP_RULE__PATTERN_GET,  "/kinds/{with_tag}", "",   "with_tag is no field of"     },
        {GOOGLE__API__HTTP_RULE__PATTERN_GET,  "/kinds/{filter}",   "",   "filter is no field of"       },
        {GOOGLE__API__HTTP_RULE__PATTERN_GET,  "/kinds/{filter.x}", "",   "filter.x is no field of"     },
        {GOOGLE__API__HTTP_RULE__PATTERN_GET,  "kinds",             "",   "is no path that we serve"    },
        {GOOGLE__API__HTTP_RULE__PATTERN_GET,  "/kinds/{id",        "",   "is no path that we serve"    },
        {GOOGLE__API__HTTP_RULE__PATTERN_GET,  "/kinds/{id=**}",    "",   "is no path that we serve"    },
        {GOOGLE__API__HTTP_RULE__PATTERN_GET,  "/kinds//x",         "",   "is no path that we serve"    },
        {GOOGLE__API__HTTP_RULE__PATTERN_GET,  "/kinds/{id}",       "*",  "is a GET and has a body"     },
        {GOOGLE__API__HTTP_RULE__PATTERN_POST, "/kinds/{id}",       "id", "body \"id\" is no message in"},
        {GOOGLE__API__HTTP_RULE__PATTERN_POST, "/kinds",            "*",  "is also the route of"        },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Google__Api__HttpRule rule = GOOGLE__API__HTTP_RULE__INIT;

        rule.pattern_case = cases[i].verb;
        rule.get = arena_strdup(arena, cases[i].path);
        rule.body = arena_strdup(arena, cases[i].body);
        put_option(option(method_options(1), OPTION_HTTP), &rule.base);
        const char *words = start_complaints();
        ck_assert_msg(strstr(words, cases[i].words) != NULL, "%s: %s", cases[i].words, words);
    }
}
END_TEST

START_TEST(two_variables_of_other_names_are_the_same_route)
{
    Google__Api__HttpRule rule = GOOGLE__API__HTTP_RULE__INIT;

    rule.pattern_case = GOOGLE__API__HTTP_RULE__PATTERN_PUT;
    rule.put = (char[]){"/kinds/{needed}"};
    rule.body = (char[]){"*"};
    put_option(option(method_options(2), OPTION_HTTP), &rule.base);
    ck_assert_str_eq(start_complaints(), ""); /* another verb */
    rule.pattern_case = GOOGLE__API__HTTP_RULE__PATTERN_GET;
    rule.body = (char[]){""};
    put_option(option(method_options(2), OPTION_HTTP), &rule.base);
    ck_assert_ptr_nonnull(strstr(start_complaints(), "is also the route of "
                                                     "/test.kinds.v1.KindsService/GetOne"));
}
END_TEST

START_TEST(a_stream_has_no_route)
{
    kinds()->service[0]->method[0]->has_server_streaming = 1;
    kinds()->service[0]->method[0]->server_streaming = 1;
    ck_assert_ptr_nonnull(strstr(start_complaints(), "streams, so it can have no REST route"));
}
END_TEST

static Google__Protobuf__DescriptorProto *rules_message(void)
{
    Google__Protobuf__FileDescriptorProto *file = kinds();

    for (size_t i = 0; i < file->n_message_type; i++) {
        if (strcmp(file->message_type[i]->name, "Rules") == 0) {
            return file->message_type[i];
        }
    }
    ck_abort_msg("no Rules");
    return NULL;
}

START_TEST(field_rules_that_cannot_hold_do_not_start)
{
    Everything__Field rule = EVERYTHING__FIELD__INIT;

    rule.pattern = (char[]){"([a-z"};
    put_option(option(&rules_message()->field[4]->options->base, OPTION_FIELD), &rule.base);
    rule.pattern = (char[]){""};
    rule.required = 1;
    put_option(option(&rules_message()->field[5]->options->base, OPTION_FIELD), &rule.base);
    const char *words = start_complaints();
    ck_assert_ptr_nonnull(strstr(words, "field code: its pattern is no regular expression"));
    ck_assert_ptr_nonnull(strstr(words, "field from_one: a plain number cannot be required"));
}
END_TEST

START_TEST(a_method_that_the_set_does_not_know_does_not_start)
{
    kinds()->service[0]->n_method--;
    const char *words = start_complaints();
    kinds()->service[0]->n_method++;
    ck_assert_ptr_nonnull(strstr(words, "Check: is not in the descriptor set"));
}
END_TEST

START_TEST(bytes_that_are_no_set_do_not_start)
{
    static const char *const wrong[] = {"", "x", "\x0a\x05z", "\x0a\x02\xff\xff", "\x0a"};

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        ck_assert_ptr_null(contract_new_from(wrong[i], strlen(wrong[i]), services, NULL));
    }
}
END_TEST

TEST_MAIN_AROUND("contract_faults", (&(struct test_around){.before = before, .after = after}),
                 the_set_is_good_before_it_is_spoiled, a_method_without_call_options_does_not_start,
                 call_options_that_mean_nothing_do_not_start,
                 routes_that_cannot_be_served_do_not_start,
                 two_variables_of_other_names_are_the_same_route, a_stream_has_no_route,
                 field_rules_that_cannot_hold_do_not_start,
                 a_method_that_the_set_does_not_know_does_not_start,
                 bytes_that_are_no_set_do_not_start)
