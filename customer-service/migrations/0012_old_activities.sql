-- The Live Activities of orders that were over long ago are found and forgotten.
CREATE INDEX live_activities_created ON notify.live_activities (created_at)
    WHERE order_id IS NOT NULL;
