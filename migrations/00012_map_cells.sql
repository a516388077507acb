-- +goose Up

-- How many reports are in each cell of the map, for low zoom levels. A cell of zoom level z is an eighth of a map tile
-- wide, so a tile shows at most 64 clusters. Kept like statistics (00011): a change adds its difference, relay adds up
-- the differences into cells, a reader adds cells and differences.
CREATE TABLE map_cells (
    zoom       smallint         NOT NULL,
    x          integer          NOT NULL, -- column from the antimeridian eastwards
    y          integer          NOT NULL, -- row from the north, web Mercator
    issue_type text             NOT NULL,
    status     text             NOT NULL,
    reports    integer          NOT NULL DEFAULT 0,
    sum_lon    double precision NOT NULL DEFAULT 0,
    sum_lat    double precision NOT NULL DEFAULT 0,
    PRIMARY KEY (zoom, x, y, issue_type, status)
);
CREATE TABLE map_cell_changes (
    longitude  double precision NOT NULL,
    latitude   double precision NOT NULL,
    issue_type text             NOT NULL,
    status     text             NOT NULL,
    reports    integer          NOT NULL -- +1 or -1
);

-- +goose StatementBegin
CREATE FUNCTION map_column(longitude double precision, zoom integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT least(floor((longitude + 180) / 360 * (8 << zoom)), (8 << zoom) - 1)::integer
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION map_row(latitude double precision, zoom integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT least(greatest(floor((1 - asinh(tan(radians(least(greatest(latitude, -85.0511), 85.0511)))) / pi()) / 2 * (8 << zoom)), 0),
                 (8 << zoom) - 1)::integer
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION place_on_map() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was boolean := TG_OP = 'UPDATE' AND OLD.deleted_at IS NULL AND OLD.status <> 'rejected';
    is_ boolean := NEW.deleted_at IS NULL AND NEW.status <> 'rejected';
BEGIN
    IF was AND is_ AND (OLD.issue_type, OLD.status, OLD.longitude, OLD.latitude) = (NEW.issue_type, NEW.status, NEW.longitude, NEW.latitude) THEN
        RETURN NULL;
    END IF;
    IF was THEN
        INSERT INTO map_cell_changes VALUES (OLD.longitude, OLD.latitude, OLD.issue_type, OLD.status, -1);
    END IF;
    IF is_ THEN
        INSERT INTO map_cell_changes VALUES (NEW.longitude, NEW.latitude, NEW.issue_type, NEW.status, 1);
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER reports_on_map AFTER INSERT OR UPDATE ON reports FOR EACH ROW EXECUTE FUNCTION place_on_map();

-- +goose StatementBegin
CREATE FUNCTION fold_map_cells() RETURNS void LANGUAGE sql AS $$
    WITH moved AS (DELETE FROM map_cell_changes RETURNING *)
    INSERT INTO map_cells AS c
    SELECT z, map_column(longitude, z), map_row(latitude, z), issue_type, status,
           sum(reports), sum(reports * longitude), sum(reports * latitude)
      FROM moved, generate_series(0, 12) z GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (zoom, x, y, issue_type, status) DO UPDATE SET
        reports = c.reports + excluded.reports, sum_lon = c.sum_lon + excluded.sum_lon, sum_lat = c.sum_lat + excluded.sum_lat;
$$;
-- +goose StatementEnd

INSERT INTO map_cell_changes SELECT longitude, latitude, issue_type, status, 1 FROM reports WHERE deleted_at IS NULL AND status <> 'rejected';
SELECT fold_map_cells();

GRANT SELECT, INSERT, UPDATE, DELETE ON map_cells, map_cell_changes TO lafaek_app;
