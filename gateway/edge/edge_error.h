/* A failure as application/problem+json (RFC 9457). */
#ifndef GATEWAY_EDGE_EDGE_ERROR_H
#define GATEWAY_EDGE_EDGE_ERROR_H

#include "common/base/ctx.h"
#include "common/base/text.h"

/* The body; what is ours alone (ST_INTERNAL) says nothing but that. */
void problem_write(struct text *out, const struct ctx *ctx);

#endif
