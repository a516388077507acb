package hedera

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"

	"github.com/lafaekstreet/backend/infra/local/faults"
)

// Page sizes of the public mirror node.
const (
	defaultPage = 25
	maxPage     = 100
)

// mirrorHandler serves the part of the mirror node's REST API that this project and
// its operators use. It does not show what is newer than Options.MirrorLag.
func (s *Server) mirrorHandler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern, operation string, h func(w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.opts.Faults.Serve(w, r, "mirror", operation, mirrorReplies, func(w http.ResponseWriter, r *http.Request) {
				s.state.mu.Lock()
				defer s.state.mu.Unlock()
				h(w, r)
			})
		})
	}
	// /topics/{id}/messages and /topics/messages/{timestamp} in one pattern: the mux cannot tell them apart.
	handle("GET /api/v1/topics/{id}/{rest}", "topic_messages", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.PathValue("rest") == "messages":
			s.listMessages(w, r)
		case r.PathValue("id") == "messages":
			s.messageAt(w, r.PathValue("rest"))
		default:
			mirrorError(w, 404, "Not found")
		}
	})
	handle("GET /api/v1/topics/{id}/messages/{sequence}", "topic_message", s.oneMessage)
	handle("GET /api/v1/topics/{id}", "topic", s.oneTopic)
	handle("GET /api/v1/transactions/{id}", "transaction", s.oneTransaction)
	handle("GET /api/v1/accounts/{id}", "account", s.oneAccount)
	handle("GET /api/v1/blocks", "blocks", s.newestBlock)
	return anyOrigin(mux)
}

// anyOrigin lets the pages of every site read the answers, as the public mirror nodes do.
func anyOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		next.ServeHTTP(w, r)
	})
}

var mirrorReplies = faults.Replies{
	Error:    func(w http.ResponseWriter, _ *http.Request) { mirrorError(w, 503, "Service unavailable") },
	Throttle: func(w http.ResponseWriter, _ *http.Request) { mirrorError(w, 429, "Too many requests") },
	Malformed: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"messages": [{"consensus_timestamp": 17, "mess`))
	},
}

// horizon is the newest consensus time that the mirror node has imported.
func (s *Server) horizon() time.Time { return s.opts.Now().Add(-s.opts.MirrorLag) }

func (s *Server) ingested(consensus time.Time) bool { return s.state.past(consensus, s.opts.MirrorLag) }

func (s *Server) listMessages(w http.ResponseWriter, r *http.Request) {
	t := s.topicOf(w, r)
	if t == nil {
		return
	}
	q := r.URL.Query()
	limit := defaultPage
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			mirrorError(w, 400, "Invalid parameter: limit")
			return
		}
		limit = min(n, maxPage)
	}
	keep := func(uint64) bool { return true }
	for _, v := range q["sequencenumber"] {
		f, err := sequenceFilter(v)
		if err != nil {
			mirrorError(w, 400, "Invalid parameter: sequencenumber")
			return
		}
		before := keep
		keep = func(n uint64) bool { return before(n) && f(n) }
	}
	all := slices.Clone(t.messages)
	if q.Get("order") == "desc" {
		slices.Reverse(all)
	}
	page := []map[string]any{}
	var next any
	for i := range all {
		if !s.ingested(all[i].ConsensusTimestamp) || !keep(all[i].SequenceNumber) {
			continue
		}
		if len(page) == limit {
			op := "gt"
			if q.Get("order") == "desc" {
				op = "lt"
			}
			next = fmt.Sprintf("/api/v1/topics/%s/messages?limit=%d&order=%s&sequencenumber=%s:%d",
				formatID(t.Num), limit, map[bool]string{true: "desc", false: "asc"}[op == "lt"], op, page[limit-1]["sequence_number"])
			break
		}
		page = append(page, mirrorMessage(&all[i]))
	}
	reply(w, map[string]any{"messages": page, "links": map[string]any{"next": next}})
}

// sequenceFilter reads "7", "eq:7", "gt:7", "gte:7", "lt:7" or "lte:7".
func sequenceFilter(v string) (func(uint64) bool, error) {
	op, num, ok := strings.Cut(v, ":")
	if !ok {
		op, num = "eq", v
	}
	want, err := strconv.ParseUint(num, 10, 63)
	if err != nil {
		return nil, err
	}
	switch op {
	case "eq":
		return func(n uint64) bool { return n == want }, nil
	case "gt":
		return func(n uint64) bool { return n > want }, nil
	case "gte":
		return func(n uint64) bool { return n >= want }, nil
	case "lt":
		return func(n uint64) bool { return n < want }, nil
	case "lte":
		return func(n uint64) bool { return n <= want }, nil
	}
	return nil, fmt.Errorf("operator %q", op)
}

func (s *Server) oneMessage(w http.ResponseWriter, r *http.Request) {
	t := s.topicOf(w, r)
	if t == nil {
		return
	}
	n, err := strconv.ParseUint(r.PathValue("sequence"), 10, 63)
	if err != nil || n == 0 {
		mirrorError(w, 400, "Invalid parameter: sequencenumber")
		return
	}
	if n > uint64(len(t.messages)) || !s.ingested(t.messages[n-1].ConsensusTimestamp) {
		mirrorError(w, 404, "Not found")
		return
	}
	reply(w, mirrorMessage(&t.messages[n-1]))
}

func (s *Server) messageAt(w http.ResponseWriter, consensus string) {
	for _, t := range s.state.topics {
		for i := range t.messages {
			if m := &t.messages[i]; mirrorTime(m.ConsensusTimestamp) == consensus && s.ingested(m.ConsensusTimestamp) {
				reply(w, mirrorMessage(m))
				return
			}
		}
	}
	mirrorError(w, 404, "Not found")
}

func (s *Server) oneTopic(w http.ResponseWriter, r *http.Request) {
	if t := s.topicOf(w, r); t != nil {
		reply(w, map[string]any{"topic_id": formatID(t.Num), "memo": t.Memo, "deleted": false,
			"submit_key": mirrorKey(t.SubmitKey), "admin_key": mirrorKey(t.AdminKey)})
	}
}

func (s *Server) topicOf(w http.ResponseWriter, r *http.Request) *topic {
	num, err := parseID(r.PathValue("id"))
	if err != nil {
		mirrorError(w, 400, "Invalid parameter: topicId")
		return nil
	}
	t := s.state.topics[num]
	if t == nil {
		mirrorError(w, 404, "No such topic id - "+formatID(num))
	}
	return t
}

func (s *Server) oneTransaction(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.PathValue("id"), "-")
	if len(parts) != 3 {
		mirrorError(w, 400, "Invalid Transaction id. Please use \"shard.realm.num-sss-nnn\" format")
		return
	}
	rec := s.state.transactions[parts[0]+"@"+parts[1]+"."+fmt.Sprintf("%09s", parts[2])]
	if rec == nil || !s.ingested(rec.Consensus) {
		mirrorError(w, 404, "Not found")
		return
	}
	reply(w, map[string]any{"transactions": []map[string]any{{
		"transaction_id": r.PathValue("id"), "consensus_timestamp": mirrorTime(rec.Consensus),
		"valid_start_timestamp": mirrorTime(rec.ValidStart), "valid_duration_seconds": strconv.FormatInt(rec.Duration, 10),
		"name": rec.Name, "result": services.ResponseCodeEnum(rec.Status).String(), "node": formatID(rec.Node),
		"entity_id": formatID(rec.Topic), "charged_tx_fee": rec.Fee, "nonce": 0, "scheduled": false,
		"transaction_hash": base64.StdEncoding.EncodeToString(rec.Hash),
		"memo_base64":      base64.StdEncoding.EncodeToString([]byte(rec.Memo)),
	}}})
}

func (s *Server) oneAccount(w http.ResponseWriter, r *http.Request) {
	num, err := parseID(r.PathValue("id"))
	if err != nil {
		mirrorError(w, 400, "Invalid parameter: idOrAliasOrEvmAddress")
		return
	}
	a := s.state.accounts[num]
	if a == nil {
		mirrorError(w, 404, "Not found")
		return
	}
	reply(w, map[string]any{"account": formatID(num), "key": mirrorKey(a.Key), "deleted": false,
		"balance": map[string]any{"balance": a.Balance, "timestamp": mirrorTime(s.horizon()), "tokens": []any{}}})
}

// newestBlock answers with the newest block, which shows the horizon. This project reads no other blocks.
func (s *Server) newestBlock(w http.ResponseWriter, _ *http.Request) {
	h := s.horizon()
	reply(w, map[string]any{"blocks": []map[string]any{{"number": h.Unix() / 2,
		"timestamp": map[string]string{"from": mirrorTime(h.Add(-2 * time.Second)), "to": mirrorTime(h)}}}})
}

func mirrorMessage(m *Message) map[string]any {
	payer, start, _ := strings.Cut(m.TransactionID, "@")
	return map[string]any{
		"consensus_timestamp": mirrorTime(m.ConsensusTimestamp), "message": base64.StdEncoding.EncodeToString(m.Contents),
		"payer_account_id": m.PayerAccountID, "running_hash": base64.StdEncoding.EncodeToString(m.RunningHash),
		"running_hash_version": 3, "sequence_number": m.SequenceNumber, "topic_id": m.TopicID,
		"chunk_info": map[string]any{"number": 1, "total": 1, "initial_transaction_id": map[string]any{
			"account_id": payer, "nonce": 0, "scheduled": false, "transaction_valid_start": start}},
	}
}

func mirrorKey(point []byte) any {
	if point == nil {
		return nil
	}
	return map[string]string{"_type": "ECDSA_SECP256K1", "key": hex.EncodeToString(point)}
}

func mirrorTime(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

func mirrorError(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"_status": map[string]any{"messages": []any{map[string]string{"message": text}}}})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
