-- +goose NO TRANSACTION
-- +goose Up

-- A text in the form in which names and words are compared: without case, accents and apostrophes, and the same for every
-- Unicode form of its characters. "Liquiçá" becomes liquica; ne'ebé, ne’ebé and neʼebé become neebe. Text of ASCII characters
-- alone takes the short way. An index stores the result, so a later change needs a new function and new indexes.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_text(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(words) = char_length(words) THEN lower(translate(words, '''`', ''))
        ELSE lower(regexp_replace(normalize(translate(words, '''`´', ''), NFKD),
            '[\u0300-\u036f''\u02b9\u02bb\u02bc\u02c8\u2018-\u201b\u2032\ua78c\u00ad\u200b-\u200f\u2060\ufeff]', '', 'g'))
        END
$$;
-- +goose StatementEnd

-- The pattern of LIKE that finds folded words anywhere in a folded text. The characters % and _ have no meaning in it.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_pattern(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '%' || regexp_replace(fold_text(words), '([\\%_])', '\\\1', 'g') || '%'
$$;
-- +goose StatementEnd

-- A name is folded as other text is, and loses spaces and punctuation too.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(fold_text(name), '[^a-z0-9]', '', 'g')
$$;
-- +goose StatementEnd

-- CONCURRENTLY as in 00018. Each old index goes only when its successor is there. Functions of the version before search
-- without an index until the new ones run; that is a second or two for a million reports.
DROP INDEX CONCURRENTLY IF EXISTS reports_words_idx;
CREATE INDEX CONCURRENTLY reports_words_idx ON reports USING gin (fold_text(title || ' ' || description || ' ' || coalesce(address, '')) gin_trgm_ops);
DROP INDEX CONCURRENTLY IF EXISTS reports_text_idx;

DROP INDEX CONCURRENTLY IF EXISTS reports_district_name_idx;
CREATE INDEX CONCURRENTLY reports_district_name_idx ON reports (fold_text(district), created_at DESC, id DESC) WHERE deleted_at IS NULL AND district IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS reports_district_idx;

DROP INDEX CONCURRENTLY IF EXISTS reports_suco_name_idx;
CREATE INDEX CONCURRENTLY reports_suco_name_idx ON reports (fold_text(suco), created_at DESC, id DESC) WHERE deleted_at IS NULL AND suco IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS reports_suco_idx;

DROP INDEX CONCURRENTLY IF EXISTS users_words_idx;
CREATE INDEX CONCURRENTLY users_words_idx ON users USING gin (fold_text(full_name || ' ' || coalesce(email::text, '')) gin_trgm_ops) WHERE deleted_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS users_text_idx;

-- The planner estimates the new expressions by what ANALYZE finds.
ANALYZE reports;
ANALYZE users;
