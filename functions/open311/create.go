package open311

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/apikey"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/reportcreate"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerCreate(a *httpapi.API) {
	o := write("/requests", "Create a report")
	o.Description = "The form of the specification, also as multipart/form-data with pictures in the field media. The report belongs to the API key. The " +
		"same type, words, place (5 decimals) and pictures within 24 hours are a repeat, which gets the same service_request_id; so is the same " +
		"Idempotency-Key. A repeat changes nothing, but attribute[anonymous]=true is obeyed. The member extensions of the answer has the receipt of the public log, and warnings about what was not kept."
	register(g, a, o, g.create)
}

type createInput struct {
	Write
	IdempotencyKey string `header:"Idempotency-Key" doc:"Up to 200 characters of ASCII. The same key gets the same report"`
}

// create answers POST requests with the id of a new report, or of the one that the request repeats. A picture that is no picture, and a
// place that is not known, are errors: then nothing is kept, and the other system can mend the request.
func (g *Group) create(ctx context.Context, in *createInput) (*answer, error) {
	f, key, err := g.open(ctx, &in.Write)
	if err != nil {
		return nil, err
	}
	limits, err := g.settings.Current(ctx)
	if err != nil {
		return nil, err
	}
	w := warning.NewCollector(ctx)
	request, err := readCreate(f, limits.Area, limits.EvidenceImages, w)
	if err != nil {
		return nil, err
	}
	if request.ClientID, err = in.clientID(key); err != nil {
		return nil, err
	}
	if err := g.locate(ctx, &request, limits.Area); err != nil {
		return nil, err
	}
	if err := g.spend(ctx, key, admission.LimitKeyReports); err != nil {
		return nil, err
	}
	made, err := g.createOnce(ctx, key, request, w)
	if err != nil || !made.created {
		g.giveBack(ctx, key, admission.LimitKeyReports)
	}
	if err != nil {
		return nil, err
	}
	return made.answer(ctx, w), nil
}

// clientID returns the client_id of the report, made from the Idempotency-Key. It is nil for a request without that header.
func (in *createInput) clientID(key apikey.Key) (*uuid.UUID, error) {
	if in.IdempotencyKey == "" {
		return nil, nil
	}
	if !httpapi.IsIdempotencyKey(in.IdempotencyKey) {
		return nil, problem.New(problem.Invalid, "idempotency_key_invalid")
	}
	id := uuid.NewSHA1(key.ID, []byte(in.IdempotencyKey))
	return &id, nil
}

// made is the report of a request.
type made struct {
	number  string
	author  uuid.UUID // the API key, to which the log commits
	created bool      // now; false for a repeat
	keyed   bool      // a repeat of the same Idempotency-Key
	receipt *ledger.Receipt
}

// answer is the one item of the specification, and what no other server has below extensions.
func (m made) answer(ctx context.Context, w *warning.Collector) *answer {
	item := object{{"service_request_id", m.number}, {"service_notice", locale.TextFor(ctx, "open311.notice_pending")}, {"account_id", nil}, {"extensions", madeExtensions(m.author, m.receipt, w)}}
	out := &answer{document: document{"service_requests", list{"request", []any{item}}}}
	if m.keyed {
		out.replay = "true"
	}
	return out
}

// madeExtensions are what the answer to a request that writes has beyond the specification: the receipt, with the salt of what was
// written, the API key as the author to which the log commits, and what of the request was not kept.
func madeExtensions(author uuid.UUID, receipt *ledger.Receipt, w *warning.Collector) object {
	own := object{{"receipt", nil}}
	if r := receipt; r != nil {
		signed := object{{"note", r.Note}, {"payload", r.Payload}}
		if r.Salt != nil {
			signed = append(signed, member{"salt", *r.Salt})
		}
		own = object{{"receipt", signed}}
	}
	warnings := list{item: "warning"}
	for _, each := range w.List() {
		warnings.values = append(warnings.values, object{{"field", each.Field}, {"code", string(each.Code)}, {"message", each.Message}})
	}
	return append(own, member{"author", author.String()}, member{"warnings", warnings})
}

// createOnce stores the pictures of the request and creates its report, or finds the one that it repeats.
func (g *Group) createOnce(ctx context.Context, key apikey.Key, request createRequest, w *warning.Collector) (made, error) {
	request.ContentHash = request.hash()
	pictures, err := g.store(ctx, key, request)
	if err != nil {
		return made{}, err
	}
	var found *repeat // nil for a new report
	var written reportcreate.Result
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		var err error
		found, written, err = g.write(ctx, tx, key, request, pictures, w)
		return err
	})
	if errors.Is(err, errNotStored) {
		return g.createOnce(ctx, key, request, w)
	}
	if err != nil {
		return made{}, err
	}
	if found != nil {
		return made{number: found.Number, author: key.ID, keyed: found.Keyed, receipt: g.receipts.For(ctx, found.Logged)}, nil
	}
	number := written.Number.Get()
	return made{number: number, author: key.ID, created: true, receipt: g.receipts.Of(ctx, written.Entry, number, true)}, nil
}

// errNotStored reports that the request repeated a report when it came, and no longer does. Its pictures are to be stored.
var errNotStored = errors.New("the pictures of a new report are not stored")

// store stores the pictures of a request. It stores none of a repeat: a system that sends the same report all day would fill the bucket.
func (g *Group) store(ctx context.Context, key apikey.Key, request createRequest) ([]uuid.UUID, error) {
	if len(request.files) == 0 {
		return nil, nil
	}
	batch := &database.Batch{}
	earlier := askRepeat(batch, key, request)
	if err := batch.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("look for the report of a repeat: %w", err)
	}
	if earlier.Get() != nil {
		return nil, nil
	}
	var out []uuid.UUID
	for _, file := range request.files {
		up, err := g.uploads.Take(ctx, upload.OfKey(key.ID), file)
		if err != nil {
			return nil, err
		}
		out = append(out, up.UploadID)
	}
	return out, nil
}
