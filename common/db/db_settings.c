/* From what was set to what a pool wants to know. */
#include "common/db/db_settings.h"

struct db_options db_options_of(const struct db_settings *settings, const char *daemon)
{
    return (struct db_options){
        .host = settings->host,
        .port = settings->port,
        .name = settings->name,
        .user = settings->user,
        .password = secret_reveal(&settings->password),
        .daemon = daemon,
        .max = settings->pool_max,
    };
}
