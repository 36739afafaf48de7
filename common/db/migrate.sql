-- migration_sha256 :one
-- What a text is known by, in the words of the table of those applied.
SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex') AS sha256;

-- migration_lock :one
-- Tried again and again, never waited for: a session that waits keeps a snapshot and holds vacuum back.
SELECT pg_try_advisory_lock(7300, 1) AS locked;

-- migration_applied :one
-- One of those applied before.
SELECT name, sha256 FROM migrations.applied WHERE number = $1::int;

-- migration_newest :one
SELECT coalesce(max(number), 0) AS number FROM migrations.applied;

-- migration_record :exec
INSERT INTO migrations.applied (number, name, sha256) VALUES ($1::int, $2, $3);
