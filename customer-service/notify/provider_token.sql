-- provider_token_share :one
-- Theirs stays as long as it lives; one from a clock far ahead of ours does not.
INSERT INTO notify.provider_tokens AS t (maker, token, signed_at)
VALUES ($1, $2, $3::timestamptz)
ON CONFLICT (maker) DO UPDATE
   SET token = CASE WHEN t.signed_at > excluded.signed_at - $4::bigint * interval '1 millisecond'
                     AND t.signed_at < excluded.signed_at + interval '5 minutes'
                    THEN t.token ELSE excluded.token END,
       signed_at = CASE WHEN t.signed_at > excluded.signed_at - $4::bigint * interval '1 millisecond'
                         AND t.signed_at < excluded.signed_at + interval '5 minutes'
                        THEN t.signed_at ELSE excluded.signed_at END
RETURNING token, signed_at;
