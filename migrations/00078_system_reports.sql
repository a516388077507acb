-- +goose Up
SET LOCAL lock_timeout = '5s';

-- A report that came over Open311 belongs to the key that sent it. Nobody is its reporter, and nobody becomes it. client_id is then made
-- of the Idempotency-Key of the request.
ALTER TABLE reports
    ADD COLUMN api_key_id uuid REFERENCES api_keys (id),
    ADD CONSTRAINT reports_one_owner CHECK (user_id IS NULL OR api_key_id IS NULL) NOT VALID;
ALTER TABLE reports VALIDATE CONSTRAINT reports_one_owner;
CREATE INDEX reports_api_key_idx ON reports (api_key_id, created_at) WHERE api_key_id IS NOT NULL;
CREATE UNIQUE INDEX reports_api_key_client_key ON reports (api_key_id, client_id) WHERE api_key_id IS NOT NULL AND client_id IS NOT NULL;

-- So do its pictures. The size of a picture that is still to be fetched from an address is not known: 1 byte until the worker has it.
ALTER TABLE uploads
    ALTER COLUMN user_id DROP NOT NULL,
    ADD COLUMN api_key_id uuid REFERENCES api_keys (id),
    ADD CONSTRAINT uploads_one_owner CHECK (num_nonnulls(user_id, api_key_id) = 1) NOT VALID;
ALTER TABLE uploads VALIDATE CONSTRAINT uploads_one_owner;

-- Whom the other system names as the person behind a report. For staff alone. It is no row of report_contacts: nobody is mailed, and whoever
-- confirms the address does not become the reporter. relay deletes the row 24 months after the report was closed.
CREATE TABLE open311_contacts (
    report_id          uuid PRIMARY KEY REFERENCES reports (id),
    full_name          text,
    phone_number       text,
    email              citext,
    preferred_language text,
    device_id          text,
    account_id         text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT open311_contacts_preferred_language_known CHECK (preferred_language IN ('tet', 'pt', 'en'))
);
CREATE INDEX open311_contacts_email_idx ON open311_contacts (email) WHERE email IS NOT NULL;
CREATE INDEX open311_contacts_created_idx ON open311_contacts (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON open311_contacts TO lafaek_app;
