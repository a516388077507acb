-- +goose NO TRANSACTION
-- +goose Up
-- The waits of CONCURRENTLY block nobody, so they have no limit. An index that an interrupted run left is made anew.
SET lock_timeout = 0;

-- The spans of time that a report was created in: its day, its 8 days and its 64 days, in UTC. Spans of different lengths have
-- different numbers. The planner can put the body in place of a call, because it is one immutable expression.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION created_spans(at timestamptz) RETURNS integer[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY[(at AT TIME ZONE 'UTC')::date - '2000-01-01'::date,
        1000000 + ((at AT TIME ZONE 'UTC')::date - '2000-01-01'::date) / 8,
        2000000 + ((at AT TIME ZONE 'UTC')::date - '2000-01-01'::date) / 64]
$$;
-- The span of a length that at is in, and the one before. Lengths: 1 for a day, 2 for 8 days, 3 for 64 days.
CREATE OR REPLACE FUNCTION spans_until(at timestamptz, length integer) RETURNS integer[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY[(created_spans(at))[length], (created_spans(at))[length] - 1]
$$;
-- +goose StatementEnd

-- With the spans a search for a common text reads the matches of the newest days alone: a GIN index skips from one condition to the
-- next match of the other, and new reports are at the end of the table.
DROP INDEX CONCURRENTLY IF EXISTS reports_spans_words_idx;
CREATE INDEX CONCURRENTLY reports_spans_words_idx ON reports USING gin (created_spans(created_at), fold_text(title || ' ' || description || ' ' || coalesce(address, '')) gin_trgm_ops);

-- The planner estimates the new expression by what ANALYZE finds. The old index goes last: searches have it until then.
ANALYZE reports;
DROP INDEX CONCURRENTLY IF EXISTS reports_words_idx;
