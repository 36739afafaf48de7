/* links: test_contracts */
/* JSON into messages: what is taken, and what is refused with which path and words. */
#include "common/json/transcode.h"

#include "tests/helpers/house_test.h"

#include "test/kinds/v1/kinds.pb-c.h"

#include <stdio.h>
#include <string.h>

typedef Test__Kinds__V1__Everything everything;

static struct ctx *ctx;

static void before(void)
{
    ctx = ctx_new_system("test");
}

static void after(void)
{
    ctx_free(ctx);
}

static everything *fresh(void)
{
    return (everything *)message_new(ctx->arena, &test__kinds__v1__everything__descriptor);
}

static enum status read_into(everything *message, const char *json)
{
    return json_to_message(ctx, json, strlen(json), &message->base);
}

static everything *read_well(const char *json)
{
    everything *message = fresh();

    ck_assert_msg(read_into(message, json) == ST_OK, "%s: %s", json, ctx->failure.message);
    return message;
}

START_TEST(a_value_of_each_kind_arrives)
{
    const everything *m = read_well(
        "{\"id\":\"o1\",\"aBool\":true,\"anInt32\":-2147483648,\"aUint32\":4294967295,"
        "\"anInt64\":9007199254740991,\"aUint64\":7,\"aFloat\":1.5,\"aDouble\":-2e3,"
        "\"someBytes\":\"AQID\",\"color\":\"dark_red\",\"at\":\"2026-11-21T08:15:30.125Z\","
        "\"lasts\":\"-1.5s\",\"inner\":{\"id\":\"i\"},\"texts\":[\"a\",\"b\"],"
        "\"labels\":{\"k\":\"v\"},\"counts\":{\"-3\":4},\"byBool\":{\"true\":{}},"
        "\"optANumber\":0,\"maybeText\":\"t\",\"maybeNumber\":5}");

    ck_assert_str_eq(m->id, "o1");
    ck_assert(m->a_bool);
    ck_assert_int_eq(m->an_int32, INT32_MIN);
    ck_assert_uint_eq(m->a_uint32, UINT32_MAX);
    ck_assert_int_eq(m->an_int64, 9007199254740991);
    ck_assert_double_eq(m->a_double, -2000.0);
    ck_assert_uint_eq(m->some_bytes.len, 3);
    ck_assert_int_eq(m->some_bytes.data[2], 3);
    ck_assert_int_eq(m->color, TEST__KINDS__V1__COLOR__COLOR_DARK_RED);
    ck_assert_int_eq(m->at->seconds, 1795248930);
    ck_assert_int_eq(m->at->nanos, 125000000);
    ck_assert_int_eq(m->lasts->seconds, -1);
    ck_assert_int_eq(m->lasts->nanos, -500000000);
    ck_assert_str_eq(m->inner->id, "i");
    ck_assert_uint_eq(m->n_texts, 2);
    ck_assert_str_eq(m->texts[1], "b");
    ck_assert_str_eq(m->labels[0]->value, "v");
    ck_assert_int_eq(m->counts[0]->key, -3);
    ck_assert(m->by_bool[0]->key);
    ck_assert_int_eq(m->opt_number_case, TEST__KINDS__V1__EVERYTHING__OPT_NUMBER_OPT_A_NUMBER);
    ck_assert_int_eq(m->opt_text_case, 0);
    ck_assert_str_eq(m->maybe_text->value, "t");
    ck_assert_int_eq(m->maybe_number->value, 5);
}
END_TEST

START_TEST(null_stands_for_absent)
{
    const everything *m = read_well("{\"id\":null,\"at\":null,\"texts\":null,\"labels\":null,"
                                    "\"optAText\":null,\"maybeText\":null,\"color\":null}");

    ck_assert_str_eq(m->id, "");
    ck_assert_ptr_null(m->at);
    ck_assert_uint_eq(m->n_texts, 0);
    ck_assert_int_eq(m->opt_text_case, 0);
    ck_assert_ptr_null(m->maybe_text);
}
END_TEST

START_TEST(escapes_are_decoded)
{
    const everything *m =
        read_well("{\"id\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u20AC\"}");

    ck_assert_str_eq(m->id, "\"\\/\b\f\n\r\té😀€");
}
END_TEST

START_TEST(an_escaped_name_is_the_same_name)
{
    ck_assert_int_eq(read_well("{\"an\\u0049nt32\":4}")->an_int32, 4);
}
END_TEST

static const struct {
    const char *json, *field, *message;
} refusals[] = {
    {"{\"nothing\":1}",                            "nothing",           "is not known"                                         },
    {"{\"an_int32\":1}",                           "an_int32",          "is not known"                                         },
    {"{\"inner\":{\"inners\":[{},{\"x\":[{}]}]}}", "inner.inners[1].x", "is not known"                                         },
    {"{\"id\":1}",                                 "id",                "must be a string"                                     },
    {"{\"id\":[\"a\"]}",                           "id",                "must be a string"                                     },
    {"{\"id\":\"a\\u0000b\"}",                     "id",                "must not hold a NUL character"                        },
    {"{\"aBool\":\"true\"}",                       "aBool",             "must be true or false"                                },
    {"{\"aBool\":1}",                              "aBool",             "must be true or false"                                },
    {"{\"anInt32\":\"1\"}",                        "anInt32",           "must be a whole number from -2147483648 to 2147483647"},
    {"{\"anInt32\":1.0}",                          "anInt32",           "must be a whole number from -2147483648 to 2147483647"},
    {"{\"anInt32\":1e1}",                          "anInt32",           "must be a whole number from -2147483648 to 2147483647"},
    {"{\"anInt32\":2147483648}",                   "anInt32",
     "must be a whole number from -2147483648 to 2147483647"                                                                   },
    {"{\"aUint32\":-1}",                           "aUint32",           "must be a whole number from 0 to 4294967295"          },
    {"{\"aUint64\":-1}",                           "aUint64",           "must be a whole number from 0 to 9007199254740991"    },
    {"{\"anInt64\":9007199254740992}",             "anInt64",
     "must be a whole number of at most 9007199254740991 either way"                                                           },
    {"{\"anInt64\":99999999999999999999999}",      "anInt64",
     "must be a whole number of at most 9007199254740991 either way"                                                           },
    {"{\"aDouble\":\"NaN\"}",                      "aDouble",           "must be a number"                                     },
    {"{\"aDouble\":1e999}",                        "aDouble",           "is too large a number"                                },
    {"{\"aFloat\":1e39}",                          "aFloat",            "is too large a number"                                },
    {"{\"color\":\"green\"}",                      "color",             "must be one of dark_red, blue"                        },
    {"{\"color\":\"DARK_RED\"}",                   "color",             "must be one of dark_red, blue"                        },
    {"{\"color\":1}",                              "color",             "must be a string"                                     },
    {"{\"colors\":[\"blue\",\"unknown\"]}",        "colors[1]",         "must be one of dark_red, blue"                        },
    {"{\"someBytes\":\"A\"}",                      "someBytes",         "must be base64 in a string"                           },
    {"{\"someBytes\":\"AQ=\"}",                    "someBytes",         "must be base64 in a string"                           },
    {"{\"someBytes\":\"AR==\"}",                   "someBytes",         "must be base64 in a string"                           },
    {"{\"someBytes\":\"A*ID\"}",                   "someBytes",         "must be base64 in a string"                           },
    {"{\"at\":\"soon\"}",                          "at",                "must be a time as in RFC 3339: 2026-01-31T08:15:00Z"  },
    {"{\"at\":5}",                                 "at",                "must be a time as in RFC 3339: 2026-01-31T08:15:00Z"  },
    {"{\"lasts\":\"5\"}",                          "lasts",             "must be a duration in seconds: 1.5s"                  },
    {"{\"inner\":[]}",                             "inner",             "must be an object"                                    },
    {"{\"texts\":\"a\"}",                          "texts",             "must be a list"                                       },
    {"{\"texts\":[\"a\",null]}",                   "texts[1]",          "must not be null"                                     },
    {"{\"inners\":[{},3]}",                        "inners[1]",         "must be an object"                                    },
    {"{\"labels\":[]}",                            "labels",            "must be an object"                                    },
    {"{\"labels\":{\"a\":1}}",                     "labels.a",          "must be a string"                                     },
    {"{\"labels\":{\"a\":null}}",                  "labels.a",          "must not be null"                                     },
    {"{\"labels\":{\"a\\u0000\":\"\"}}",           "labels",            "has a key with a NUL character"                       },
    {"{\"counts\":{\"x\":1}}",                     "counts.x",
     "its name must be a whole number from -2147483648 to 2147483647"                                                          },
    {"{\"byBool\":{\"yes\":{}}}",                  "byBool.yes",        "its name must be true or false"                       },
    {"{\"maybeNumber\":\"5\"}",                    "maybeNumber",
     "must be a whole number of at most 9007199254740991 either way"                                                           },
    {"{\"choiceText\":\"a\",\"choiceNumber\":1}",  "choiceNumber",
     "cannot be given together with choiceText"                                                                                },
};

START_TEST(a_field_that_does_not_fit_is_refused_by_its_path) /* GW-06 */
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        ctx_forgive(ctx);
        enum status st = read_into(fresh(), refusals[i].json);
        const struct field_error *first = ctx->failure.fields;

        ck_assert_msg(st == ST_INVALID && ctx->failure.problem == PROBLEM_INVALID_FIELDS, "%s",
                      refusals[i].json);
        ck_assert_str_eq(first->field, refusals[i].field);
        ck_assert_str_eq(first->message, refusals[i].message);
        ck_assert_ptr_null(first->next);
    }
}
END_TEST

static const struct {
    const char *json, *words;
} broken[] = {
    {"",                                     "line 1, column 1: an object is expected here"                     },
    {"[]",                                   "line 1, column 1: an object is expected here"                     },
    {"null",                                 "line 1, column 1: an object is expected here"                     },
    {"{",                                    "line 1, column 2: a name in quotes is expected here"              },
    {"{\n  \"id\": \"a\",\n}",               "line 3, column 1: a name in quotes is expected here"              },
    {"{\"é\":1 \"b\":2}",                   "line 1, column 8: a comma or a closing bracket is expected here"  },
    {"{\"id\" 1}",                           "line 1, column 7: a colon is expected here"                       },
    {"{\"id\":}",                            "line 1, column 7: a value is expected here"                       },
    {"{\"id\":nul}",                         "line 1, column 7: a value is expected here"                       },
    {"{\"aBool\":tru}",                      "line 1, column 10: a value is expected here"                      },
    {"{\"id\":\"a}",                         "line 1, column 7: this string has no end"                         },
    {"{\"id\":\"a\\",                        "line 1, column 7: this string has no end"                         },
    {"{\"id\":\"a\nb\"}",                    "line 1, column 9: a control character in a string must be escaped"},
    {"{\"id\":\"\\x\"}",                     "line 1, column 8: no such escape"                                 },
    {"{\"id\":\"\xff\"}",                    "line 1, column 7: this string is not UTF-8"                       },
    {"{\"id\":\"\xed\xa0\x80\"}",            "line 1, column 7: this string is not UTF-8"                       },
    {"{\"id\":\"\\ud800\"}",
     "line 1, column 8: this is no character: four hex digits, surrogates in pairs"                             },
    {"{\"id\":\"\\udc00\\ud800\"}",
     "line 1, column 8: this is no character: four hex digits, surrogates in pairs"                             },
    {"{\"x\":\"\\ud800x\"}",
     "line 1, column 7: this is no character: four hex digits, surrogates in pairs"                             },
    {"{\"anInt32\":01}",                     "line 1, column 12: this is no number"                             },
    {"{\"anInt32\":-}",                      "line 1, column 12: this is no number"                             },
    {"{\"aDouble\":1.}",                     "line 1, column 12: this number does not end well"                 },
    {"{\"aDouble\":1e}",                     "line 1, column 12: this number does not end well"                 },
    {"{\"aDouble\":+1}",                     "line 1, column 12: a value is expected here"                      },
    {"{\"aDouble\":NaN}",                    "line 1, column 12: a value is expected here"                      },
    {"{\"id\":\"a\",\"id\":\"a\"}",          "line 1, column 11: this name is there twice"                      },
    {"{\"labels\":{\"a\":\"\",\"a\":\"\"}}", "line 1, column 19: this name is there twice"                      },
    {"{} {}",                                "line 1, column 4: nothing may follow the end of the object"       },
    {"{}x",                                  "line 1, column 3: nothing may follow the end of the object"       },
    {"{\"x\":[1,]}",                         "line 1, column 9: a value is expected here"                       },
    {"{\"x\":[1}",                           "line 1, column 8: a comma or a closing bracket is expected here"  },
    {"// no\n{}",                            "line 1, column 1: an object is expected here"                     },
};

START_TEST(what_is_no_json_is_told_with_its_place) /* GW-06 */
{
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        ctx_forgive(ctx);
        enum status st = read_into(fresh(), broken[i].json);

        ck_assert_msg(st == ST_INVALID && ctx->failure.problem == PROBLEM_BAD_REQUEST, "%s",
                      broken[i].json);
        ck_assert_str_eq(ctx->failure.message, broken[i].words);
        ck_assert_ptr_null(ctx->failure.fields);
    }
}
END_TEST

START_TEST(what_a_newer_daemon_of_ours_wrote_is_read_without_what_is_new) /* GW-14 */
{
    static const char json[] = "{\"newest\":{\"a\":[1,{\"id\":2}]},\"id\":\"o1\","
                               "\"inner\":{\"newer\":true,\"id\":\"i\"}}";
    everything *m = fresh();

    ck_assert_int_eq(json_to_message_of_ours(ctx, json, strlen(json), &m->base), ST_OK);
    ck_assert_str_eq(m->id, "o1");
    ck_assert_str_eq(m->inner->id, "i");
    ck_assert_int_eq(read_into(fresh(), json), ST_INVALID); /* a client's mistake it stays */
}
END_TEST

START_TEST(what_is_wrong_in_a_field_that_is_known_is_refused_of_ours_too)
{
    static const char json[] = "{\"newest\":1,\"id\":7}";

    ck_assert_int_eq(json_to_message_of_ours(ctx, json, strlen(json), &fresh()->base), ST_INVALID);
}
END_TEST

START_TEST(a_nul_byte_in_the_text_is_refused)
{
    static const char json[] = "{\"id\":\"a\0b\"}";

    ck_assert_int_eq(json_to_message(ctx, json, sizeof(json) - 1, &fresh()->base), ST_INVALID);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_BAD_REQUEST);
}
END_TEST

static char *nested(int depth)
{
    struct text text = text_new(ctx->arena, 256);

    for (int i = 1; i < depth; i++) {
        text_add(&text, "{\"inner\":");
    }
    text_add(&text, "{}");
    for (int i = 1; i < depth; i++) {
        text_add_char(&text, '}');
    }
    return text.data;
}

START_TEST(sixteen_levels_are_the_deepest) /* SEC-09 */
{
    ck_assert_int_eq(read_into(fresh(), nested(JSON_MAX_DEPTH)), ST_OK);
    ck_assert_int_eq(read_into(fresh(), nested(JSON_MAX_DEPTH + 1)), ST_INVALID);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_BAD_REQUEST);
    ck_assert_int_eq(read_into(fresh(), "{\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"), ST_INVALID);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_BAD_REQUEST);
}
END_TEST

START_TEST(all_mistakes_are_told_at_once_up_to_twenty)
{
    struct text text = text_new(ctx->arena, 1024);
    int told = 0;

    for (int i = 0; i < 30; i++) {
        text_printf(&text, "%s\"x%d\":%d", i ? "," : "{\"id\":7,\"aBool\":0,", i, i);
    }
    text_add_char(&text, '}');
    ck_assert_int_eq(read_into(fresh(), text.data), ST_INVALID);
    for (const struct field_error *e = ctx->failure.fields; e; e = e->next) {
        told++;
    }
    ck_assert_int_eq(told, 20);
    ck_assert_str_eq(ctx->failure.fields->field, "id");
    ck_assert_str_eq(ctx->failure.fields->next->field, "aBool");
    ck_assert_str_eq(ctx->failure.message, "id must be a string");
}
END_TEST

START_TEST(a_long_list_grows_and_a_too_long_one_is_refused) /* SEC-09 */
{
    struct text text = text_new(ctx->arena, 1024);

    text_add(&text, "{\"numbers\":[0");
    for (int i = 1; i < 10000; i++) {
        text_printf(&text, ",%d", i);
    }
    size_t enough = text.length;
    text_add(&text, "]}");
    const everything *m = read_well(text.data);
    ck_assert_uint_eq(m->n_numbers, 10000);
    for (int i = 0; i < 10000; i++) {
        ck_assert_int_eq(m->numbers[i], i);
    }
    text.length = enough;
    text_add(&text, ",1,2]}");
    ck_assert_int_eq(read_into(fresh(), text.data), ST_INVALID);
    ck_assert_str_eq(ctx->failure.message, "numbers must have at most 10000 entries");
}
END_TEST

START_TEST(a_foreign_name_is_shown_cut)
{
    char json[400] = "{\"";

    memset(json + 2, 'x', 300);
    memcpy(json + 302, "\":1}", sizeof("\":1}"));
    ck_assert_int_eq(read_into(fresh(), json), ST_INVALID);
    ck_assert_uint_eq(strlen(ctx->failure.fields->field), 64);
}
END_TEST

TEST_MAIN_AROUND("transcode_read", (&(struct test_around){.before = before, .after = after}),
                 a_value_of_each_kind_arrives, null_stands_for_absent, escapes_are_decoded,
                 an_escaped_name_is_the_same_name, a_field_that_does_not_fit_is_refused_by_its_path,
                 what_is_no_json_is_told_with_its_place,
                 what_a_newer_daemon_of_ours_wrote_is_read_without_what_is_new,
                 what_is_wrong_in_a_field_that_is_known_is_refused_of_ours_too,
                 a_nul_byte_in_the_text_is_refused, sixteen_levels_are_the_deepest,
                 all_mistakes_are_told_at_once_up_to_twenty,
                 a_long_list_grows_and_a_too_long_one_is_refused, a_foreign_name_is_shown_cut)
