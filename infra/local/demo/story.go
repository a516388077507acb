package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// story is one run of the demo.
type story struct {
	api                 apiclient.Client
	out                 io.Writer
	latitude, longitude float64
	patience            time.Duration
	without             map[string]bool // parts that the system does not have
	local               bool            // the system has a console with its mails
	account             string          // the address that is signed in
}

func (s *story) tell(ctx context.Context, photoPath string) error {
	picture, contentType, err := photo(photoPath)
	if err != nil {
		return err
	}
	if err := s.signIn(ctx); err != nil {
		return err
	}
	uploadID, err := s.upload(ctx, picture, contentType)
	if err != nil {
		return err
	}
	r, err := s.report(ctx, uploadID)
	if err != nil {
		return err
	}
	if r, err = s.wait(ctx, r.ID); err != nil {
		return err
	}
	if err := s.history(ctx, r.ID); err != nil {
		return err
	}
	if s.without[partLedger] {
		err = s.published(ctx)
	} else {
		err = s.verify(ctx, r.ID)
	}
	if err == nil {
		s.leave(r.Number)
	}
	return err
}

func (s *story) get(ctx context.Context, path string, out any) error {
	return s.api.Call(ctx, apiclient.Request{Path: path}, out)
}

func (s *story) post(ctx context.Context, path string, body, out any) error {
	return s.api.Call(ctx, apiclient.Request{Method: http.MethodPost, Path: path, Body: body}, out)
}

// say prints one line of the story.
func (s *story) say(step, format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "  %-9s %s\n", step, fmt.Sprintf(format, args...))
}

type upload struct {
	UploadID string `json:"upload_id"`
	Upload   struct {
		Method  string            `json:"method"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	} `json:"upload"`
}

func (s *story) upload(ctx context.Context, picture []byte, contentType string) (string, error) {
	var u upload
	ask := map[string]any{"content_type": contentType, "size_bytes": len(picture)}
	if err := s.post(ctx, "/reports/pre-upload-image", ask, &u); err != nil {
		return "", err
	}
	if err := put(ctx, u, picture); err != nil {
		return "", err
	}
	s.say("upload", "%d KB directly to storage", (len(picture)+1023)/1024)
	return u.UploadID, nil
}

// put sends the picture to the presigned address, which is not the API's.
func put(ctx context.Context, u upload, picture []byte) error {
	req, err := http.NewRequestWithContext(ctx, u.Upload.Method, u.Upload.URL, bytes.NewReader(picture))
	if err != nil {
		return fmt.Errorf("send the picture: %w", err)
	}
	for name, value := range u.Upload.Headers {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("send the picture: %w", err)
	}
	_ = res.Body.Close()
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("send the picture: storage answers %s", res.Status)
	}
	return nil
}

type report struct {
	ID       string `json:"id"`
	Number   string `json:"report_number"`
	Status   string `json:"status"`
	Severity string `json:"severity"`
	Score    *int   `json:"severity_score"`
	Title    string `json:"title"`
	Reason   string `json:"rejection_reason"`
	AI       struct {
		Status string `json:"status"`
		Repair string `json:"recommended_repair"`
	} `json:"ai"`
	Blockchain struct {
		Status        string `json:"status"`
		Network       string `json:"network"`
		TransactionID string `json:"transaction_id"`
	} `json:"blockchain"`
}

func (s *story) report(ctx context.Context, uploadID string) (report, error) {
	var r report
	body := map[string]any{
		"client_id": uuid.NewString(), "issue_type": "pothole", "description": "A deep hole in front of the school",
		"latitude": s.latitude, "longitude": s.longitude, "images": []any{map[string]string{"upload_id": uploadID}},
	}
	began := time.Now()
	if err := s.post(ctx, "/reports", body, &r); err != nil {
		return report{}, err
	}
	s.say("report", "%s after %d ms", r.Number, time.Since(began).Milliseconds())
	return r, nil
}

// wait reads the report until it has an AI result and the ledger has confirmed it.
func (s *story) wait(ctx context.Context, id string) (report, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	judged := s.without[partAI]
	for {
		var r report
		if err := s.get(ctx, "/reports/"+id, &r); err != nil {
			return report{}, err
		}
		if !judged && r.AI.Status != "queued" && r.AI.Status != "processing" {
			judged = true
			var by struct {
				Model string `json:"model"`
			}
			if err := s.get(ctx, "/reports/"+id+"/ai-analysis/latest", &by); err != nil {
				return report{}, err
			}
			s.say("AI", "%s by %s: the report is %s, severity %s%s", r.AI.Status, by.Model, r.Status, r.Severity, score(r.Score))
			for _, line := range []string{r.Title, r.AI.Repair, r.Reason} {
				if line != "" {
					s.say("", "%s", line)
				}
			}
		}
		if judged && s.without[partLedger] {
			return r, nil
		}
		if judged && r.Blockchain.Status == "confirmed" {
			s.say("ledger", "confirmed on %s by transaction %s", r.Blockchain.Network, r.Blockchain.TransactionID)
			return r, nil
		}
		select {
		case <-ctx.Done():
			return report{}, fmt.Errorf("after %[3]s the AI status is %[1]q and the ledger status is %[2]q. If this system has no model or no ledger yet: WITHOUT=ai, WITHOUT=ledger", r.AI.Status, r.Blockchain.Status, s.patience)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func score(n *int) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf(" (%d of 10)", *n)
}

func (s *story) history(ctx context.Context, id string) error {
	var h struct {
		Entries []struct {
			Event    string `json:"event_type"`
			Sequence int64  `json:"sequence_number"`
			At       string `json:"consensus_timestamp"`
			Status   string `json:"status"`
		} `json:"entries"`
	}
	if err := s.get(ctx, "/blockchain/report/"+id+"/history", &h); err != nil {
		return err
	}
	for _, e := range h.Entries {
		s.say("history", "%-16s no. %d at %s, %s", e.Event, e.Sequence, e.At, e.Status)
	}
	return nil
}

func (s *story) verify(ctx context.Context, id string) error {
	var v struct {
		Verified bool `json:"verified"`
		Checks   []struct {
			Name   string `json:"name"`
			OK     bool   `json:"ok"`
			Detail string `json:"detail"`
		} `json:"checks"`
	}
	if err := s.get(ctx, "/blockchain/report/"+id+"/verify", &v); err != nil {
		return err
	}
	var broken []string
	for _, c := range v.Checks {
		if !c.OK {
			broken = append(broken, c.Name+": "+c.Detail)
		}
	}
	if !v.Verified || len(broken) > 0 {
		return errors.New("the proof is not valid: " + strings.Join(broken, "; "))
	}
	s.say("proof", "valid: %d checks, nothing was changed", len(v.Checks))
	return nil
}
