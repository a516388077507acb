package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/lafaekstreet/backend/infra/lafaek-log/judge"
)

// maxFile bounds a file, in bytes. The judge refuses larger ones.
const maxFile = 8 << 20

// verify judges the material in files and prints the verdict.
func verify(args []string, in io.Reader, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	keys := flags.String("keys", "", "")
	if err := flags.Parse(args); err != nil {
		return 0, usage(err)
	}
	var m judge.Material
	if *keys != "" {
		text, err := readFile(*keys, in)
		if err != nil {
			return 0, err
		}
		m.Keys = text
	}
	for _, name := range flags.Args() {
		text, err := readFile(name, in)
		if err != nil {
			return 0, err
		}
		if err := take(&m, name, text); err != nil {
			return 0, err
		}
	}
	if m.Receipt == "" {
		return 0, fmt.Errorf("%w: no file is a receipt", errUsage)
	}
	result := judge.Judge(m)
	_, err := io.WriteString(out, printed(result))
	return map[judge.Verdict]int{judge.Accepted: exitGood, judge.Kept: exitGood, judge.Unproven: exitUnproven,
		judge.Dropped: exitBroken, judge.Differs: exitBroken}[result.Verdict], err
}

// printed is a result as text. Its first word is the verdict.
func printed(r judge.Result) string {
	var b strings.Builder
	b.WriteString(string(r.Verdict))
	if r.About != "" {
		b.WriteString(" " + r.About)
	}
	for _, f := range r.Findings {
		b.WriteString("\n  " + f.String())
	}
	return b.String() + "\n"
}

// take recognises a text by its form and puts it where it belongs.
func take(m *judge.Material, name, text string) error {
	place := map[form]*string{isReceipt: &m.Receipt, isProof: &m.Proof, isCheckpoint: &m.Checkpoint, isKeys: &m.Keys, isContent: &m.Content}[formOf(text)]
	switch {
	case place == nil:
		return fmt.Errorf("%w: %s is no receipt, proof, checkpoint, keys or report", errUsage, name)
	case *place == "":
		*place = text
	case place == &m.Proof || place == &m.Checkpoint && !strings.HasPrefix(strings.TrimSpace(text), "{"):
		*place += "\n" + text
	default:
		return fmt.Errorf("%w: %s is a second file of its kind", errUsage, name)
	}
	return nil
}

// form is what a text is.
type form int

const (
	isUnknown form = iota
	isReceipt
	isProof
	isCheckpoint
	isKeys
	isContent
)

// formOf recognises a text.
func formOf(text string) form {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if strings.HasPrefix(text, "c2sp.org/tlog-proof@") {
		return isProof
	}
	if !strings.HasPrefix(text, "{") {
		body, _, signed := strings.Cut(text, "—")
		switch lines := len(strings.Fields(body)); {
		case !signed:
			return isUnknown
		case lines == 5:
			return isReceipt
		}
		return isCheckpoint
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &members) != nil {
		return isReceipt // the judge says that it cannot be read
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := members[n]; ok {
				return true
			}
		}
		return false
	}
	switch {
	case has("receipts_vkeys", "receipts_vkey"):
		return isKeys
	case has("receipt") || has("note") && strings.Contains(string(members["note"]), "—"):
		return isReceipt
	case has("checkpoint", "messages", "consensus_timestamp"):
		return isCheckpoint
	}
	return isContent
}

func readFile(name string, in io.Reader) (string, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errUsage, err)
		}
		defer func() { _ = file.Close() }() // only read
		in = file
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxFile))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	return string(raw), nil
}

// usage marks an error of the flags.
func usage(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fmt.Errorf("%w: %w", errUsage, err)
}
