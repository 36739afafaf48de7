-- photo_item :one
-- Photos of one drink are put and taken away one after the other.
SELECT id FROM menu.menu_items WHERE id = $1 AND removed_at IS NULL FOR UPDATE;

-- photo_newest :many
SELECT p.id, p.menu_item_id, p.state, p.reason, p.sha256, p.bytes, p.width, p.height, p.created_at
  FROM menu.photos p JOIN menu.menu_items i ON i.id = p.menu_item_id AND i.removed_at IS NULL
 WHERE p.menu_item_id = $1
 ORDER BY p.number DESC
 LIMIT 1;

-- photo_insert :one
INSERT INTO menu.photos (id, menu_item_id, sha256, bytes, width, height)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING created_at;

-- photo_add_part :exec
INSERT INTO menu.photo_parts (photo_id, size, part, bytes) VALUES ($1, $2, $3, $4);

-- photo_parts :many
-- Some of them, in their order.
SELECT bytes
  FROM menu.photo_parts
 WHERE photo_id = $1 AND size = $2 AND part >= $3::integer
 ORDER BY part
 LIMIT $4::integer;

-- photo_waits :many
-- No row: its sizes were made, or it is gone.
SELECT menu_item_id FROM menu.photos WHERE id = $1 AND state = 'stored';

-- photo_lock_item :many
-- The drink first, then the photo: as those do who put one and take one away.
SELECT i.id
  FROM menu.menu_items i JOIN menu.photos p ON p.menu_item_id = i.id
 WHERE p.id = $1
   FOR UPDATE OF i;

-- photo_end :many
-- Once: of two who worked on it, the second finds no row.
UPDATE menu.photos SET state = $2, reason = $3, ended_at = now()
 WHERE id = $1 AND state = 'stored'
RETURNING menu_item_id;

-- photo_forget_original :exec
DELETE FROM menu.photo_parts WHERE photo_id = $1 AND size = 'original';

-- photo_show :many
-- Unless the drink shows one that was put later: the sizes of two may be made in any order.
UPDATE menu.menu_items i SET photo_id = $1
 WHERE i.id = $2 AND i.removed_at IS NULL
   AND NOT EXISTS (SELECT FROM menu.photos shown JOIN menu.photos mine ON mine.id = $1
                    WHERE shown.id = i.photo_id AND shown.number > mine.number)
RETURNING i.id;

-- photo_mark_replaced :exec
UPDATE menu.photos p SET replaced_at = now()
  FROM menu.menu_items i
 WHERE i.id = $1 AND p.menu_item_id = i.id AND p.id <> i.photo_id
   AND p.state = 'ready' AND p.replaced_at IS NULL;

-- photo_prune :exec
-- Notices and orders that name one, replaced or of a drink that is gone, are looked at for a while.
DELETE FROM menu.photos
 WHERE replaced_at < now() - interval '30 days'
    OR menu_item_id IN (SELECT id FROM menu.menu_items
                         WHERE removed_at < now() - interval '30 days')
    OR (state = 'failed' AND ended_at < now() - interval '30 days');

-- photo_hide :exec
UPDATE menu.menu_items SET photo_id = NULL WHERE id = $1 AND photo_id IS NOT NULL;

-- photo_remove :many
DELETE FROM menu.photos WHERE menu_item_id = $1 RETURNING id;
