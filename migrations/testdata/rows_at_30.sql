-- One row or more for each word that commit f663cb9 wrote into a column of words, on the schema of number 30.
INSERT INTO agencies (id, code, name, agency_type, issue_types)
SELECT gen_random_uuid(), w, w, w, '{pothole,road_damage,flooding,drainage,street_light,traffic_sign,bridge,sidewalk,debris,waste,water_supply,other}'
  FROM unnest('{municipal,national,contractor}'::text[]) w;
INSERT INTO agencies (id, code, name, agency_type) VALUES (gen_random_uuid(), 'ALL', 'Everything', 'national');

INSERT INTO users (id, email, role, preferred_language)
SELECT gen_random_uuid(), r || '-' || l || '@example.org', r, l
  FROM unnest('{citizen,moderator,government_official,admin}'::text[]) r, unnest('{tet,pt,en}'::text[]) l;

INSERT INTO sessions (id, user_id, platform, expires_at, revoked_reason)
SELECT gen_random_uuid(), (SELECT id FROM users LIMIT 1), p, now(), w
  FROM unnest('{logout,refresh_token_reused,password_changed,suspended,deleted,ended_by_owner,role_changed,too_many_sessions,NULL}'::text[]) w,
       unnest('{android,ios,web,NULL}'::text[]) p;
INSERT INTO devices (user_id, device_id, platform)
SELECT (SELECT id FROM users LIMIT 1), w, w FROM unnest('{android,ios,web}'::text[]) w;
INSERT INTO one_time_codes (id, address_hmac, purpose, code_hmac, expires_at)
SELECT gen_random_uuid(), '', w, '', now() FROM unnest('{registration,password_reset,verify_link,reset_link}'::text[]) w;
INSERT INTO audit_log (id, actor_role, action, entity, entity_id)
SELECT gen_random_uuid(), w, 'user.suspend', 'user', '1' FROM unnest('{citizen,moderator,government_official,admin,system}'::text[]) w;

INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, refusal, expires_at)
SELECT gen_random_uuid(), (SELECT id FROM users LIMIT 1), concat_ws('-', c, s, r), c, 1, s, r, now()
  FROM unnest('{image/jpeg,image/png,image/webp}'::text[]) c, unnest('{issued,stored,processed,refused}'::text[]) s,
       unnest('{not_a_picture,broken,too_large,extra_data,not_as_declared,NULL}'::text[]) r;

INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude)
SELECT gen_random_uuid(), w, '', w, -8.5, 125.5
  FROM unnest('{pothole,road_damage,flooding,drainage,street_light,traffic_sign,bridge,sidewalk,debris,waste,water_supply,other}'::text[]) w;
INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, severity, severity_guess, priority)
SELECT gen_random_uuid(), concat_ws('-', s, g, p), '', 'other', -8.5, 125.5, s, g, p
  FROM unnest('{low,medium,high,critical}'::text[]) s, unnest('{low,medium,high,critical,NULL}'::text[]) g,
       unnest('{low,medium,high,critical}'::text[]) p;
INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, status, duplicate_of, ai_status, blockchain_status, geocode_source)
SELECT gen_random_uuid(), concat_ws('-', s, a, b, g), '', 'other', -8.5, 125.5, s,
       CASE s WHEN 'duplicate' THEN (SELECT id FROM reports LIMIT 1) END, a, b, g
  FROM unnest('{pending,verified,in_progress,fixed,rejected,duplicate}'::text[]) s,
       unnest('{queued,processing,completed,rejected,needs_review,failed}'::text[]) a,
       unnest('{queued,submitting,submitted,confirmed,failed}'::text[]) b, unnest('{boundaries,nominatim,none,NULL}'::text[]) g;
INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, status)
SELECT gen_random_uuid(), 'exact-' || s, '', 'other', -8.55694, 125.56033, s FROM unnest('{pending,verified}'::text[]) s;
-- An agency began this one after an hour, and its repair was taken back once.
INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, status, assigned_agency_id, assigned_at)
SELECT gen_random_uuid(), 'worked', '', 'other', -8.55694, 125.56033, 'in_progress', (SELECT id FROM agencies WHERE code = 'ALL'), '2026-11-01T00:00:00Z';
INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind, created_at)
SELECT gen_random_uuid(), (SELECT id FROM reports WHERE report_number = 'worked'), o, n, 'government_official', at
  FROM (VALUES ('verified', 'in_progress', '2026-11-01T01:00:00Z'::timestamptz), ('in_progress', 'fixed', '2026-11-03T00:00:00Z'), ('fixed', 'in_progress', '2026-11-04T00:00:00Z')) w (o, n, at);

INSERT INTO report_images (id, report_id, upload_id, kind)
SELECT gen_random_uuid(), (SELECT id FROM reports LIMIT 1), (SELECT id FROM uploads ORDER BY id OFFSET n LIMIT 1), w
  FROM unnest('{evidence,resolution}'::text[]) WITH ORDINALITY k (w, n);
INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind)
SELECT gen_random_uuid(), (SELECT id FROM reports LIMIT 1), o, n, a
  FROM unnest('{pending,verified,in_progress,fixed,rejected,duplicate,NULL}'::text[]) o,
       unnest('{pending,verified,in_progress,fixed,rejected,duplicate}'::text[]) n,
       unnest('{ai,citizen,moderator,government_official,admin}'::text[]) a;
INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status)
SELECT gen_random_uuid(), (SELECT id FROM reports LIMIT 1), gen_random_uuid(), g, 'person', '', '', s
  FROM unnest('{relevance,damage,embedding,verdict,override}'::text[]) g, unnest('{completed,rejected,needs_review,failed}'::text[]) s;
INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, issue_type, severity, repair_urgency)
SELECT gen_random_uuid(), (SELECT id FROM reports LIMIT 1), gen_random_uuid(), 'damage', 'm', '1', '', 'completed', i, s, u
  FROM unnest('{pothole,road_damage,flooding,drainage,street_light,traffic_sign,bridge,sidewalk,debris,waste,water_supply,other}'::text[]) i,
       unnest('{low,medium,high,critical}'::text[]) s, unnest('{routine,within_30_days,within_7_days,immediate,NULL}'::text[]) u;

INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, created_at)
SELECT gen_random_uuid(), r.id, 1, 'REPORT_SUBMITTED', t, '{}', sha256('{}'), now()
  FROM unnest('{reports,status}'::text[]) WITH ORDINALITY k (t, n), LATERAL (SELECT id FROM reports ORDER BY id OFFSET n LIMIT 1) r;
INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, prev_hash, created_at)
SELECT gen_random_uuid(), (SELECT report_id FROM ledger_events ORDER BY position LIMIT 1), n, w, 'status', '{}', sha256('{}'), sha256('{}'), now()
  FROM (VALUES (2, 'STATUS_CHANGED')) k (n, w);
INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, prev_hash, created_at)
SELECT gen_random_uuid(), (SELECT report_id FROM ledger_events ORDER BY position LIMIT 1), 3, 'AI_VALIDATED', 'status', '{}', sha256('{}'), sha256('{}'), now();
INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, prev_hash, created_at)
SELECT gen_random_uuid(), (SELECT report_id FROM ledger_events ORDER BY position LIMIT 1), 4, 'CONTENT_AMENDED', 'reports', '{}', sha256('{}'), sha256('{}'), now();
INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, prev_hash, created_at)
SELECT gen_random_uuid(), (SELECT report_id FROM ledger_events ORDER BY position LIMIT 1), 5, 'REPORT_WITHDRAWN', 'status', '{}', sha256('{}'), sha256('{}'), now();
INSERT INTO ledger_submissions (id, topic, topic_id, batch_size, message, state, transaction_id, sequence_number, next_attempt_at, created_at, updated_at)
SELECT gen_random_uuid(), t, '0.0.' || n, 0, '{}', s, '0.0.1@1.' || n, n, now(), now(), now()
  FROM unnest('{reports,status}'::text[]) t, unnest('{claimed,prepared,submitted,reached,confirmed,failed}'::text[]) s,
       LATERAL (SELECT hashtext(t || s)::bigint) k (n);
INSERT INTO ledger_anchors (event_id, position, report_id, seq, topic, created_at)
SELECT id, position, report_id, seq, topic, now() FROM ledger_events;

INSERT INTO outbox (id, queue, body) SELECT gen_random_uuid(), w, '{}' FROM unnest('{images,validate,anchor,notify,geocode}'::text[]) w;
INSERT INTO processed_messages (consumer, message_key)
SELECT w, '1' FROM unnest('{validate,notify-mail,relay-validate,relay-images,relay-geocode}'::text[]) w;
INSERT INTO idempotency_keys (owner, key, request_hash, locked_until) SELECT w, '1', '', now() FROM (SELECT id::text FROM users UNION ALL SELECT 'anonymous') u (w);
INSERT INTO notifications (id, user_id, type, event_key)
SELECT gen_random_uuid(), (SELECT id FROM users LIMIT 1), w, w
  FROM unnest('{report_received,report_verified,report_rejected,report_status_changed,report_fixed,report_assigned,report_duplicate,comment_added,blockchain_confirmed,announcement}'::text[]) w;
INSERT INTO notification_deliveries (notification_id, channel, recipient, state)
SELECT (SELECT id FROM notifications LIMIT 1), c, s, s
  FROM unnest('{mail,push}'::text[]) c, unnest('{claimed,sending,sent,delayed,failed,unknown,skipped}'::text[]) s;

INSERT INTO boundaries (id, level, name, area)
SELECT gen_random_uuid(), w, w, ST_Multi(ST_MakeEnvelope(125, -9, 126, -8, 4326)) FROM unnest('{municipality,district,suco}'::text[]) w;
INSERT INTO geocode_cache (cell, answer, source) SELECT w, '{}', w FROM unnest('{nominatim,none}'::text[]) w;

INSERT INTO journeys (id, user_id, name, visibility) SELECT gen_random_uuid(), (SELECT id FROM users LIMIT 1), w, w FROM unnest('{public,private}'::text[]) w;
INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat)
SELECT gen_random_uuid(), j.id, j.user_id, w, w, 125.5, -8.5 FROM unnest('{past,plan}'::text[]) w, (SELECT id, user_id FROM journeys LIMIT 1) j;
INSERT INTO journey_legs (journey_id, seq, kind, dates, line, shown_line, start_m, length_m)
SELECT (SELECT id FROM journeys LIMIT 1), n, w, '[2026-01-01,2026-01-02]', 'LINESTRING(125 -8, 126 -8)', 'LINESTRING(125 -8, 126 -8)', 0, 1
  FROM unnest('{past,plan,transition}'::text[]) WITH ORDINALITY k (w, n);
