/* Carries spans out: to an OpenTelemetry collector, by OTLP over gRPC, from a thread of its own.
 * Batches go out once a second, or as soon as a quarter of the ring of common/obs/span.h is full.
 * While the collector is away a batch is tried again for half a minute, and what finds no room in
 * the ring meanwhile is dropped and counted (spans_dropped_total). No request ever waits. */
#ifndef COMMON_TELEMETRY_OTLP_EXPORT_H
#define COMMON_TELEMETRY_OTLP_EXPORT_H

#include "common/conf/settings.h"

struct otlp_settings {
    const char *endpoint, *ratio; /* "": nothing is exported */
};

/* The two lines of each daemon's table, named as OpenTelemetry names them. */
#define OTLP_SETTINGS(to)                                                                      \
    SETTING_TEXT("OTEL_EXPORTER_OTLP_ENDPOINT", &(to).endpoint, "",                            \
                 "OpenTelemetry collector (gRPC), http://host:4317; empty: no traces go out"), \
        SETTING_TEXT("OTEL_TRACES_SAMPLER_ARG", &(to).ratio, "1",                              \
                     "share of the traces begun here, or by strangers, which go out, 0 to 1")

/* false, with the reason on 'complaints', when they cannot be used. */
bool otlp_settings_are_good(const struct otlp_settings *settings, FILE *complaints);

struct otlp_export;

/* Before there are other threads. NULL, at no cost, without an endpoint. */
struct otlp_export *otlp_export_start(const struct otlp_settings *settings, const char *daemon,
                                      const char *version);
/* When no other thread makes spans any more: the last batch goes out, within two seconds. NULL is
 * fine. */
void otlp_export_stop(struct otlp_export *otlp);

#endif
