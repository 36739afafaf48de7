-- How often a session was renewed in the minute that began with the first of them.
ALTER TABLE auth.sessions ADD COLUMN minute_began timestamptz,
                          ADD COLUMN minute_renewals integer NOT NULL DEFAULT 0;
