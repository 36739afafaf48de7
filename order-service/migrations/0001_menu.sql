-- The menu: what is sold, what may be done to it, and one number that changes whenever it does.
CREATE SCHEMA menu;
GRANT USAGE ON SCHEMA menu TO order_service;

CREATE TABLE menu.menu_items (
    id          text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
    name        text NOT NULL CHECK (name <> ''),
    description text NOT NULL DEFAULT '',
    kind        smallint NOT NULL DEFAULT 0,
    price_cents bigint NOT NULL CONSTRAINT menu_items_price CHECK (price_cents BETWEEN 1 AND 1000000),
    available   boolean NOT NULL DEFAULT true,
    allergens   text[] NOT NULL DEFAULT '{}',
    valid_from  timestamptz,
    valid_to    timestamptz,
    position    integer NOT NULL DEFAULT 1000,
    removed_at  timestamptz,
    CONSTRAINT menu_items_window CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from < valid_to)
);

CREATE TABLE menu.customizations (
    id          text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
    name        text NOT NULL CHECK (name <> ''),
    kind        smallint NOT NULL DEFAULT 0,
    extra_cents bigint NOT NULL CHECK (extra_cents BETWEEN 0 AND 1000000),
    available   boolean NOT NULL DEFAULT true,
    allergens   text[] NOT NULL DEFAULT '{}',
    position    integer NOT NULL DEFAULT 1000
);

CREATE TABLE menu.menu_item_customizations (
    menu_item_id     text NOT NULL REFERENCES menu.menu_items ON DELETE CASCADE,
    customization_id text NOT NULL CONSTRAINT menu_customization_known REFERENCES menu.customizations,
    PRIMARY KEY (menu_item_id, customization_id)
);

-- Placing compares this with the version its prices came from, in the same statement.
CREATE TABLE menu.version (
    one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    version bigint NOT NULL
);
INSERT INTO menu.version (version) VALUES (1);

CREATE FUNCTION menu.bump() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE menu.version SET version = version + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER items_bump AFTER INSERT OR UPDATE OR DELETE ON menu.menu_items
    FOR EACH STATEMENT EXECUTE FUNCTION menu.bump();
CREATE TRIGGER customizations_bump AFTER INSERT OR UPDATE OR DELETE ON menu.customizations
    FOR EACH STATEMENT EXECUTE FUNCTION menu.bump();
CREATE TRIGGER pairs_bump AFTER INSERT OR UPDATE OR DELETE ON menu.menu_item_customizations
    FOR EACH STATEMENT EXECUTE FUNCTION menu.bump();

GRANT SELECT, INSERT, UPDATE, DELETE ON menu.menu_items, menu.customizations, menu.menu_item_customizations
    TO order_service;
GRANT SELECT, UPDATE ON menu.version TO order_service;

-- A first menu, so that a new shop can sell at once. Kinds as in proto/coffee/menu/v1.
INSERT INTO menu.customizations (id, name, kind, extra_cents, allergens, position) VALUES
    ('whole-milk',   'Whole milk',        1,   0, '{milk}',   10),
    ('oat-milk',     'Oat milk',          1,  60, '{oats}',   20),
    ('soy-milk',     'Soy milk',          1,  50, '{soy}',    30),
    ('almond-milk',  'Almond milk',       1,  70, '{almonds}', 40),
    ('small',        'Small',             2,   0, '{}',       50),
    ('large',        'Large',             2,  80, '{}',       60),
    ('vanilla',      'Vanilla syrup',     3,  50, '{}',       70),
    ('caramel',      'Caramel syrup',     3,  50, '{}',       80),
    ('hazelnut',     'Hazelnut syrup',    3,  50, '{hazelnuts}', 90),
    ('iced',         'Iced',              4,   0, '{}',       100),
    ('extra-hot',    'Extra hot',         4,   0, '{}',       110),
    ('extra-shot',   'Extra shot',        5, 100, '{}',       120),
    ('decaf',        'Decaf',             5,   0, '{}',       130),
    ('marshmallows', 'Marshmallows',      5,  40, '{}',       140);

INSERT INTO menu.menu_items (id, name, description, kind, price_cents, allergens, position) VALUES
    ('espresso',         'Espresso',         'A short, strong coffee.',                         1, 240, '{}',     10),
    ('americano',        'Americano',        'Espresso with hot water.',                        1, 290, '{}',     20),
    ('flat-white',       'Flat White',       'A double shot under a thin layer of milk foam.',  1, 380, '{milk}', 30),
    ('cappuccino',       'Cappuccino',       'Espresso, milk and a thick cap of foam.',         1, 360, '{milk}', 40),
    ('caffe-latte',      'Caffe Latte',      'Espresso in plenty of warm milk.',                1, 390, '{milk}', 50),
    ('caramel-macchiato', 'Caramel Macchiato', 'Vanilla, milk, espresso and a caramel top.',    1, 450, '{milk}', 60),
    ('iced-caramel-latte', 'Iced Caramel Latte', 'Cold milk, caramel and espresso over ice.',   4, 460, '{milk}', 70),
    ('mocha',            'Mocha',            'Espresso, chocolate and milk.',                   1, 430, '{milk}', 80),
    ('cold-brew',        'Cold Brew',        'Steeped for eighteen hours, served over ice.',    4, 400, '{}',     90),
    ('hot-chocolate',    'Hot Chocolate',    'Dark chocolate melted into milk.',                3, 370, '{milk}', 100),
    ('chai-latte',       'Chai Latte',       'Spiced black tea with milk.',                     2, 390, '{milk}', 110),
    ('green-tea',        'Green Tea',        'Sencha, brewed at 75 degrees.',                   2, 280, '{}',     120);

INSERT INTO menu.menu_item_customizations (menu_item_id, customization_id)
SELECT i.id, c.id FROM menu.menu_items i, menu.customizations c
 WHERE (c.kind = 1 AND 'milk' = ANY (i.allergens))
    OR (c.kind = 2 AND i.id <> 'espresso')
    OR (c.kind = 3 AND i.kind IN (1, 4) AND i.id <> 'espresso')
    OR (c.id = 'iced' AND i.kind IN (1, 2) AND i.id <> 'espresso')
    OR (c.id = 'extra-hot' AND i.kind IN (1, 2, 3))
    OR (c.id IN ('extra-shot', 'decaf') AND i.kind = 1)
    OR (c.id = 'marshmallows' AND i.kind = 3);
