package translog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const (
	// witnessTime is what one witness has to answer in.
	witnessTime = time.Second
	// maxAnswer is the longest answer in bytes that is read from a witness.
	maxAnswer = 16 << 10
)

// Witness is somebody else's server that confirms checkpoints: c2sp.org/tlog-witness.
type Witness struct {
	VKey string // verifier key of type 4, Ed25519 cosignatures
	URL  string // what add-checkpoint is appended to
}

// ParseWitnesses reads a list of VKEY=URL with commas between them. It is empty for an empty text.
func ParseWitnesses(text string) ([]Witness, error) {
	var out []Witness
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		vkey, address, _ := strings.Cut(part, "=")
		if _, err := newWitnessKey(vkey); err != nil {
			return nil, err
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return nil, fmt.Errorf("witness %s has no address", vkey)
		}
		out = append(out, Witness{VKey: vkey, URL: strings.TrimSuffix(address, "/")})
	}
	return out, nil
}

// Answer is what became of asking one witness.
type Answer struct {
	Witness Witness
	// Cosignature is valid. It is nil if Err is not.
	Cosignature *Cosignature
	// Size is how many entries the witness knows now, as far as it said; else what the caller gave.
	Size int64
	Err  error
}

// Cosign asks all witnesses at once to confirm c, each for a second at most. known has the size that each witness
// confirmed last, by verifier key; 0 if none. The answers are in the order of witnesses. A witness that fails does not
// stop the others. Keep the sizes of the answers for the next call.
func Cosign(ctx context.Context, client *http.Client, r Reader, c *Checkpoint, witnesses []Witness, known map[string]int64) []Answer {
	answers := make([]Answer, len(witnesses))
	var work sync.WaitGroup
	for i, w := range witnesses {
		work.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, witnessTime)
			defer cancel()
			answers[i] = ask(ctx, client, r, c, w, known[w.VKey])
		})
	}
	work.Wait()
	return answers
}

// ask asks one witness, and once more if it knows another size than expected.
func ask(ctx context.Context, client *http.Client, r Reader, c *Checkpoint, w Witness, known int64) Answer {
	a := Answer{Witness: w, Size: known}
	if known > c.N { // what the caller kept does not help
		known = 0
	}
	for range 2 {
		line, size, err := addCheckpoint(ctx, client, r, c, w, known)
		if err == nil {
			return Answer{Witness: w, Cosignature: line, Size: c.N}
		}
		a.Err = fmt.Errorf("witness %s: %w", w.URL, err)
		if size < 0 || size == known {
			return a
		}
		a.Size, known = size, size
		if size > c.N {
			a.Err = fmt.Errorf("witness %s: %w: it knows %d entries, the checkpoint has %d", w.URL, ErrRollback, size, c.N)
			return a
		}
	}
	return a
}

// addCheckpoint sends c to the witness. If the witness knows another size than old, it returns an error and that size,
// else an error and -1.
func addCheckpoint(ctx context.Context, client *http.Client, r Reader, c *Checkpoint, w Witness, old int64) (*Cosignature, int64, error) {
	proof, err := ProveConsistency(ctx, r, c.Tree, old)
	if err != nil {
		return nil, -1, err
	}
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	for _, h := range proof {
		body.WriteString(h.String() + "\n")
	}
	body.WriteString("\n" + string(c.Signed))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+"/add-checkpoint", &body)
	if err != nil {
		return nil, -1, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, -1, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, -1, err
	}
	switch res.StatusCode {
	case http.StatusOK:
		line, err := cosignatureIn(answer, c, w.VKey)
		return line, -1, err
	case http.StatusConflict:
		size, err := strconv.ParseInt(strings.TrimSuffix(string(answer), "\n"), 10, 64)
		if err != nil {
			return nil, -1, errors.New("answer 409 names no size")
		}
		return nil, size, fmt.Errorf("it knows %d entries, not %d", size, old)
	default:
		return nil, -1, fmt.Errorf("answer %d: %.200q", res.StatusCode, answer)
	}
}

// cosignatureIn finds the cosignature of the witness among the lines of its answer. It is valid for c.
func cosignatureIn(answer []byte, c *Checkpoint, vkey string) (*Cosignature, error) {
	text, _, ok := bytes.Cut(c.Signed, []byte("\n\n"))
	if !ok {
		return nil, &note.UnverifiedNoteError{}
	}
	found, err := Cosignatures(append(append(bytes.Clone(text), "\n\n"...), answer...), vkey)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errors.New("answer has no cosignature by its key")
	}
	return &found[0], nil
}
