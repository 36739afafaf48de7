/* links: opentelemetry_contracts common_rpc */
/* Records as OTLP: ids as bytes, times in nanoseconds, places as the conventions want them. And
 * what the settings may be. */
#include "common/telemetry/otlp_message.h"

#include "common/base/auto.h"
#include "common/base/text.h"
#include "common/telemetry/otlp_export.h"
#include "tests/helpers/house_test.h"

#include <opentelemetry/trace.pb-c.h>

#include <string.h>

static struct span_record record_of(const char *parent)
{
    struct span_record record = {
        .trace_id = "000102030405060708090a0b0c0d0e0f",
        .id = "00f067aa0ba902b7",
        .kind = SPAN_CONSUMER,
        .began_us = 1700000000000001,
        .ended_us = 1700000000000251,
        .count = 2,
        .keys = {"messaging.system", "attempt"},
        .numbers = {0,                  3        },
        .texts = {8,                  0        },
        .text = "process\0kafka\0common/db/query.c:94",
    };

    text_copy(record.parent_id, sizeof(record.parent_id), parent);
    return record;
}

/* Packed and unpacked: what a collector sees. */
static Opentelemetry__ExportTraceServiceRequest *sent(struct arena *arena,
                                                      struct span_record *records, size_t count)
{
    const struct otlp_resource resource = {"order-service", "1.2.3", "pi-17"};
    ProtobufCMessage *message = otlp_message(arena, &resource, records, count);
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(arena, size);

    protobuf_c_message_pack(message, bytes);
    Opentelemetry__ExportTraceServiceRequest *request =
        opentelemetry__export_trace_service_request__unpack(NULL, size, bytes);
    ck_assert_ptr_nonnull(request);
    return request;
}

static void finish(Opentelemetry__ExportTraceServiceRequest *request)
{
    opentelemetry__export_trace_service_request__free_unpacked(request, NULL);
}

/* OBS-01 */
START_TEST(a_span_is_whole_on_the_wire)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct span_record record = record_of("b7ad6b7169203331");
    Opentelemetry__ExportTraceServiceRequest *request = sent(arena, &record, 1);
    const Opentelemetry__Span *span = request->resource_spans[0]->scope_spans[0]->spans[0];

    ck_assert_uint_eq(span->trace_id.len, 16);
    ck_assert_uint_eq(span->trace_id.data[15], 0x0f);
    ck_assert_mem_eq(span->span_id.data, "\x00\xf0\x67\xaa\x0b\xa9\x02\xb7", 8);
    ck_assert_mem_eq(span->parent_span_id.data, "\xb7\xad\x6b\x71\x69\x20\x33\x31", 8);
    ck_assert_str_eq(span->name, "process");
    ck_assert_int_eq(span->kind, OPENTELEMETRY__SPAN__SPAN_KIND__SPAN_KIND_CONSUMER);
    ck_assert_uint_eq(span->start_time_unix_nano, 1700000000000001000u);
    ck_assert_uint_eq(span->end_time_unix_nano, 1700000000000251000u);
    ck_assert_uint_eq(span->n_attributes, 2);
    ck_assert_str_eq(span->attributes[0]->key, "messaging.system");
    ck_assert_str_eq(span->attributes[0]->value->string_value, "kafka");
    ck_assert_int_eq(span->attributes[1]->value->int_value, 3);
    ck_assert_ptr_null(span->status);
    finish(request);
}
END_TEST

START_TEST(a_root_has_no_parent_id)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct span_record record = record_of("");
    Opentelemetry__ExportTraceServiceRequest *request = sent(arena, &record, 1);

    ck_assert_uint_eq(request->resource_spans[0]->scope_spans[0]->spans[0]->parent_span_id.len, 0);
    finish(request);
}
END_TEST

/* OBS-07 */
START_TEST(an_error_names_file_and_line)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct span_record record = record_of("");

    record.is_error = true;
    record.where = 14;
    Opentelemetry__ExportTraceServiceRequest *request = sent(arena, &record, 1);
    const Opentelemetry__Span *span = request->resource_spans[0]->scope_spans[0]->spans[0];

    ck_assert_int_eq(span->status->code, OPENTELEMETRY__STATUS__STATUS_CODE__STATUS_CODE_ERROR);
    ck_assert_str_eq(span->attributes[2]->key, "code.filepath");
    ck_assert_str_eq(span->attributes[2]->value->string_value, "common/db/query.c");
    ck_assert_str_eq(span->attributes[3]->key, "code.lineno");
    ck_assert_int_eq(span->attributes[3]->value->int_value, 94);
    finish(request);
}
END_TEST

START_TEST(the_resource_says_which_process_it_was)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct span_record records[] = {record_of(""), record_of("")};
    Opentelemetry__ExportTraceServiceRequest *request = sent(arena, records, ARRAY_LEN(records));
    const Opentelemetry__Resource *resource = request->resource_spans[0]->resource;

    ck_assert_str_eq(resource->attributes[0]->key, "service.name");
    ck_assert_str_eq(resource->attributes[0]->value->string_value, "order-service");
    ck_assert_str_eq(resource->attributes[1]->value->string_value, "1.2.3");
    ck_assert_str_eq(resource->attributes[2]->value->string_value, "pi-17");
    ck_assert_uint_eq(request->resource_spans[0]->scope_spans[0]->n_spans, 2);
    finish(request);
}
END_TEST

START_TEST(settings_that_cannot_be_used_are_told)
{
    static const struct {
        struct otlp_settings settings;
        bool ok;
    } cases[] = {
        {{"", "1"},                         true },
        {{"http://localhost:4317", "0.25"}, true },
        {{"otel-collector:4317", "0"},      true },
        {{"http://localhost", "1"},         false},
        {{"https://localhost:4317", "1"},   false}, /* no TLS of our own */
        {{"http://localhost:4317/v1", "1"}, false},
        {{"http://:4317", "1"},             false},
        {{"http://localhost:70000", "1"},   false},
        {{"", ""},                          false},
        {{"", "1.5"},                       false},
        {{"", "-0.1"},                      false},
        {{"", "nan"},                       false},
        {{"", "half"},                      false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char said[256] = "";
        FILE *complaints = fmemopen(said, sizeof(said), "w");

        ck_assert_ptr_nonnull(complaints);
        bool ok = otlp_settings_are_good(&cases[i].settings, complaints);
        fclose(complaints);
        ck_assert_msg(ok == cases[i].ok, "case %zu: %s", i, said);
        ck_assert(ok == !*said);
    }
}
END_TEST

START_TEST(without_an_endpoint_there_is_no_exporter)
{
    const struct otlp_settings off = {"", "1"};

    ck_assert_ptr_null(otlp_export_start(&off, "gateway", "1"));
    otlp_export_stop(NULL);
}
END_TEST

TEST_MAIN("otlp_message", a_span_is_whole_on_the_wire, a_root_has_no_parent_id,
          an_error_names_file_and_line, the_resource_says_which_process_it_was,
          settings_that_cannot_be_used_are_told, without_an_endpoint_there_is_no_exporter)
