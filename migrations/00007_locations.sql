-- +goose Up

-- A name without case, accents, spaces and punctuation: "Lautém", "LAUTEM" and "lautem" are the same.
-- +goose StatementBegin
CREATE FUNCTION fold_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(translate(lower(name), 'áàâãäéèêëíìîïóòôõöúùûüçñ', 'aaaaaeeeeiiiiooooouuuucn'), '[^a-z0-9]', '', 'g')
$$;
-- +goose StatementEnd

-- The 14 municipalities. Middle and box, in degrees WGS 84, are computed from their boundaries.
CREATE TABLE municipalities (
    code      text PRIMARY KEY,
    name      text             NOT NULL,
    name_tet  text             NOT NULL,
    name_pt   text             NOT NULL,
    latitude  double precision NOT NULL,
    longitude double precision NOT NULL,
    min_lon   double precision NOT NULL,
    min_lat   double precision NOT NULL,
    max_lon   double precision NOT NULL,
    max_lat   double precision NOT NULL,
    aliases   text[]           NOT NULL DEFAULT '{}'
);
INSERT INTO municipalities (code, name, name_tet, name_pt, latitude, longitude, min_lon, min_lat, max_lon, max_lat, aliases) VALUES
    ('TL-AL', 'Aileu',           'Aileu',         'Aileu',           -8.7014, 125.6360, 125.4538, -8.8509, 125.8179, -8.5588, '{}'),
    ('TL-AN', 'Ainaro',          'Ainaru',        'Ainaro',          -9.0019, 125.5734, 125.4243, -9.2261, 125.7252, -8.7558, '{}'),
    ('TL-AT', 'Ataúro',          'Ataúru',        'Ataúro',          -8.2295, 125.5751, 125.4989, -8.3084, 125.6414, -8.1268, '{Atauro,Pulau Atauro,Kambing}'),
    ('TL-BA', 'Baucau',          'Baukau',        'Baucau',          -8.5643, 126.4699, 126.1495, -8.7019, 126.8122, -8.4141, '{Vila Salazar}'),
    ('TL-BO', 'Bobonaro',        'Bobonaru',      'Bobonaro',        -8.9680, 125.1868, 124.9331, -9.2135, 125.4344, -8.7360, '{Maliana}'),
    ('TL-CO', 'Covalima',        'Kovalima',      'Cova Lima',       -9.2440, 125.2441, 124.9766, -9.4605, 125.5400, -9.0066, '{Cova-Lima,Kova Lima,Suai}'),
    ('TL-DI', 'Dili',            'Dili',          'Díli',            -8.5557, 125.6622, 125.4934, -8.6269, 125.8605, -8.4856, '{Dilly}'),
    ('TL-ER', 'Ermera',          'Ermera',        'Ermera',          -8.8126, 125.3877, 125.1899, -8.9962, 125.5352, -8.6380, '{Gleno}'),
    ('TL-LA', 'Lautém',          'Lautein',       'Lautém',          -8.5119, 126.9695, 126.6948, -8.7590, 127.3427, -8.3193, '{Lautem,Los Palos,Lospalos}'),
    ('TL-LI', 'Liquiçá',         'Likisá',        'Liquiçá',         -8.6526, 125.2962, 125.0921, -8.7536, 125.5273, -8.5557, '{Liquica,Liquisa,Likisa,Liquiça}'),
    ('TL-MT', 'Manatuto',        'Manatutu',      'Manatuto',        -8.7130, 125.9765, 125.7583, -9.0584, 126.1970, -8.4747, '{}'),
    ('TL-MF', 'Manufahi',        'Manufahi',      'Manufahi',        -8.9918, 125.7998, 125.5860, -9.1948, 126.0610, -8.7390, '{Same}'),
    ('TL-OE', 'Oé-Cusse Ambeno', 'Oekusi-Ambenu', 'Oé-Cusse Ambeno', -9.3191, 124.2911, 124.0421, -9.5039, 124.4823, -9.1667, '{Oecusse,Oecussi,Oe-Cusse,Oecusse-Ambeno,Oecussi Ambeno,Ocussi,Ambeno,RAEOA,Pante Macassar}'),
    ('TL-VI', 'Viqueque',        'Vikeke',        'Viqueque',        -8.8006, 126.3589, 126.0463, -8.9900, 126.7386, -8.5921, '{}');

-- Boundaries that an operator imports. Without any, addresses come from the geocoder alone.
CREATE TABLE boundaries (
    id        uuid PRIMARY KEY,
    level     text NOT NULL, -- municipality, district (administrative post), suco
    name      text NOT NULL,
    parent    text,
    code      text,
    area      geometry(MultiPolygon, 4326) NOT NULL,
    CONSTRAINT boundaries_level_known CHECK (level IN ('municipality', 'district', 'suco'))
);
CREATE INDEX boundaries_area_idx ON boundaries USING gist (area);
CREATE INDEX boundaries_level_idx ON boundaries (level, name);

-- Answers of the geocoder, each for a cell of about 100 m; kept 30 days.
CREATE TABLE geocode_cache (
    cell       text PRIMARY KEY,
    answer     jsonb       NOT NULL,
    source     text        NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX geocode_cache_age_idx ON geocode_cache (fetched_at);

-- One row. All functions together send the geocoder one request a second: each takes the next second from next_at.
CREATE TABLE geocoder_turn (
    id           boolean PRIMARY KEY DEFAULT true CHECK (id),
    next_at      timestamptz NOT NULL DEFAULT now(),
    failures     integer     NOT NULL DEFAULT 0,
    open_until   timestamptz
);
INSERT INTO geocoder_turn DEFAULT VALUES;

GRANT SELECT ON municipalities TO lafaek_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON boundaries, geocode_cache, geocoder_turn TO lafaek_app;
