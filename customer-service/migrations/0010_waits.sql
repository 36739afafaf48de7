-- Until when Apple or a push service asked us to leave a device, or a Live Activity, alone (429).
ALTER TABLE notify.devices ADD COLUMN not_before timestamptz;
ALTER TABLE notify.live_activities ADD COLUMN not_before timestamptz;
