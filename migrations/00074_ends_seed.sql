-- +goose Up

-- What others do not see of the ends of recorded tracks lies around a place near the end, not around the end itself: with
-- several rides from one house, the house would be the middle of all the places where they become visible. This secret
-- says where the place is. All journeys of a person have the same, so that more rides tell no more.
ALTER TABLE journeys ADD COLUMN ends_seed uuid NOT NULL DEFAULT gen_random_uuid();

UPDATE journeys j SET ends_seed = f.ends_seed
  FROM (SELECT DISTINCT ON (user_id) user_id, ends_seed FROM journeys ORDER BY user_id, created_at, id) f
 WHERE f.user_id = j.user_id;
