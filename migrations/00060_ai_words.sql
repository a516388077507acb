-- +goose Up
SET LOCAL lock_timeout = '5s';

-- What the AI says, in the languages of its readers: {tet: {title, description, recommended_repair, relevance_reason}, pt: {…}}.
-- The columns of these names are English. NULL in analyses of before and where the model gave no translation.
ALTER TABLE ai_analyses ADD COLUMN translations jsonb;

DROP TRIGGER ai_analyses_words_guard ON ai_analyses;
CREATE TRIGGER ai_analyses_words_guard AFTER UPDATE ON ai_analyses FOR EACH ROW
    WHEN (coalesce(NEW.title, NEW.description, NEW.relevance_reason, NEW.recommended_repair, NEW.raw::text, NEW.error, NEW.translations::text) IS NOT NULL OR NEW.hazards <> '{}')
    EXECUTE FUNCTION guard_never();
