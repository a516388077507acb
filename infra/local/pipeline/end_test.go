package pipeline_test

import (
	"fmt"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// finished is the end of a report that was not disturbed.
const finished = "verified, completed, confirmed, named; REPORT_SUBMITTED+STATUS_CHANGED+AI_VALIDATED; told received+confirmed+verified; embeddings 1; picture processed"

// ends describes the state of each report, by its number.
func (s *system) ends() map[string]string {
	s.Helper()
	const q = `
		SELECT r.report_number, concat_ws('; ', concat_ws(', ', r.status, r.ai_status, r.blockchain_status, CASE WHEN r.geocoded_at IS NULL THEN 'unnamed' ELSE 'named' END),
			(SELECT string_agg(event_type, '+' ORDER BY seq) FROM ledger_events e WHERE e.report_id = r.id AND NOT (event_type = 'CONTENT_AMENDED' AND convert_from(payload, 'UTF8')::jsonb #>> '{changed_by,kind}' = 'system')),
			'told ' || (SELECT string_agg(split_part(type, '_', 2), '+' ORDER BY array_position(ARRAY['report_received', 'blockchain_confirmed', 'report_verified'], type)) FROM notifications n WHERE n.report_id = r.id),
			'embeddings ' || (SELECT count(*) FROM report_embeddings b WHERE b.report_id = r.id),
			'picture ' || (SELECT string_agg(u.state, '+') FROM report_images i JOIN uploads u ON u.id = i.upload_id WHERE i.report_id = r.id))
		FROM reports r`
	rows, err := s.owner.Query(s.Context(), q)
	s.must(err)
	out := map[string]string{}
	var number, end string
	_, err = pgx.ForEachRow(rows, []any{&number, &end}, func() error {
		out[number] = end
		return nil
	})
	s.must(err)
	return out
}

// finishedAll fails the test unless there are n reports and all are finished.
func (s *system) finishedAll(n int) {
	s.Helper()
	ends := s.ends()
	for number, end := range ends {
		if end != finished {
			s.Errorf("%s: %s\nwant %s", number, end, finished)
		}
	}
	if len(ends) != n {
		s.Errorf("%d reports, want %d", len(ends), n)
	}
	s.renditions(n)
}

// renditions fails the test unless both renditions of each of n pictures are stored.
func (s *system) renditions(n int) {
	s.Helper()
	objects, err := s.s3.ListObjectsV2(s.Context(), &s3.ListObjectsV2Input{Bucket: awssdk.String(bucket), Prefix: awssdk.String("renditions/")})
	s.must(err)
	if len(objects.Contents) != 2*n {
		s.Errorf("%d renditions, want %d", len(objects.Contents), 2*n)
	}
}

// anchored fails the test unless each message in the database is on the ledger exactly once and every report verifies.
func (s *system) anchored() {
	s.Helper()
	messages := map[string]int{}
	for _, m := range s.net.Messages() {
		messages[string(m.Contents)]++
	}
	rows, err := s.owner.Query(s.Context(), `SELECT message FROM log_messages`)
	s.must(err)
	wanted, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	s.must(err)
	for _, m := range wanted {
		messages[string(m)]--
	}
	for m, n := range messages {
		if n != 0 {
			s.Errorf("message %s: %d more on the ledger than in the database", m, n)
		}
	}
	rows, err = s.owner.Query(s.Context(), `SELECT id FROM reports`)
	s.must(err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	s.must(err)
	c := s.ledgerConfig()
	c.MirrorTimeout = time.Minute // workers may have a short timeout
	published, err := storage.NewLog(s.cloud.Config(), storage.LogConfig{Bucket: testenv.LogBucket, PathStyle: true, LockMode: storage.LockNone}, timestamp.System{})
	s.must(err)
	for _, id := range all {
		v, err := ledger.Verify(s.Context(), s.owner, ledger.Sources{Log: published, Mirror: ledger.NewMirror(c)}, c, id)
		s.must(err)
		if !v.Verified {
			s.Errorf("report %s: %+v", id, v)
		}
	}
	s.fsck(c, published)
}

// fsck fails the test unless table, published log, ledger, reports and pictures agree.
func (s *system) fsck(c ledger.Config, log *storage.Log) {
	s.Helper()
	var out strings.Builder
	r, err := (&fsck.Check{DB: s.owner, Mirror: ledger.NewMirror(c), Log: log, Config: c, Signatures: true, Out: &out,
		Pictures: storage.New(s.cloud.Config(), storage.Config{Bucket: bucket, PathStyle: true})}).Run(s.Context())
	s.must(err)
	if r.Found > 0 {
		s.Errorf("fsck: %s", out.String())
	}
}

// everybodyTold fails the test unless each channel has delivered n notifications, none of them twice. With doubt, a
// delivery may have the state unknown: its service gave no answer, so it may not have arrived.
func (s *system) everybodyTold(n int, doubt bool) {
	s.Helper()
	arrived := map[string]map[string]int{"mail": {}, "push": {}}
	for _, m := range s.mails.Mails("") {
		arrived["mail"][fmt.Sprint(m.Headers["Message-Id"])]++
	}
	for _, p := range s.pushes.Pushes("") {
		arrived["push"][p.Data["notification_id"]]++
	}
	for channel, by := range arrived {
		for id, times := range by {
			if times > 1 {
				s.Errorf("%s %s arrived %d times", channel, id, times)
			}
		}
		var sent, unknown int
		const q = `SELECT count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state = 'unknown') FROM notification_deliveries WHERE channel = $1`
		s.must(s.owner.QueryRow(s.Context(), q, channel).Scan(&sent, &unknown))
		if sent+unknown != n || unknown > 0 && !doubt {
			s.Errorf("%s: %d sent, %d of unknown outcome, want %d", channel, sent, unknown, n)
		}
		if len(by) < sent || len(by) > n {
			s.Errorf("%s: %d arrived of %d sent", channel, len(by), sent)
		}
	}
}

// told returns the numbers of mails and push messages that arrived.
func (s *system) told() string {
	return fmt.Sprintf("%d mails, %d pushes", len(s.mails.Mails("")), len(s.pushes.Pushes("")))
}

// dead lists the queues that have dead letters, with their numbers.
func (s *system) dead() string {
	var out []string
	for _, q := range s.cloud.SQS.Overview(0) {
		if n := q.Visible + q.InFlight + q.Delayed; len(q.DeadLetterOf) > 0 && n > 0 {
			out = append(out, fmt.Sprintf("%s %d", strings.TrimSuffix(q.Name, "-dead"), n))
		}
	}
	return strings.Join(out, ", ")
}
