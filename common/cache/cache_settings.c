/* From what was set to what a cache wants to know. */
#include "common/cache/cache_settings.h"

struct cache_options cache_options_of(const struct cache_settings *settings)
{
    return (struct cache_options){
        .host = settings->host,
        .port = settings->port,
        .user = *settings->user ? settings->user : NULL,
        .password = secret_reveal(&settings->password),
    };
}
