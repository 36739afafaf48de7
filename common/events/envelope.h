/* Reading an envelope back. Private to this folder: handlers get a struct event. */
#ifndef COMMON_EVENTS_ENVELOPE_H
#define COMMON_EVENTS_ENVELOPE_H

#include "common/events/event.h"

/* Fills id, type, seq and at_ms from event->payload. ST_INVALID, with the reason as detail, when it
 * is no envelope or one of a version that we do not know. */
enum status envelope_read(struct ctx *ctx, struct event *event) MUST_CHECK;

#endif
