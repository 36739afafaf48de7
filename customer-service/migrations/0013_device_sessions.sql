-- In which session a device was registered: when that ends, it is told nothing more. NULL: before this
-- was kept, or by nobody's session.
ALTER TABLE notify.devices ADD COLUMN session_id uuid REFERENCES auth.sessions ON DELETE CASCADE;
CREATE INDEX devices_of_session ON notify.devices (session_id);
