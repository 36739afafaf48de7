/* What a setting of the order service may be, beyond its table. */
#include "common/base/auto.h"
#include "order-service/config.h"
#include "tests/helpers/house_test.h"

#include <stdlib.h>

static const struct config *load(const char *currency)
{
    static const char *const needed[] = {"IDENTITY_KEYS_FILE", "PAGE_TOKEN_KEY_FILE", "DB_PASSWORD",
                                         "VALKEY_PASSWORD"};

    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        setenv(needed[i], "there", 1);
    }
    setenv("CURRENCY", currency, 1);
    return config_load();
}

/* MENU-01 */
START_TEST(a_currency_is_three_capital_letters)
{
    static const char *const none[] = {"€", "eur", "EURO", "EU", "E R"};

    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        ck_assert_ptr_null(load(none[i]));
    }
    ck_assert_ptr_nonnull(load("USD"));
    ck_assert_str_eq(load("")->currency, "EUR");
}
END_TEST

TEST_MAIN("config", a_currency_is_three_capital_letters)
