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
	useless, err := take(&m, flags.Args(), in)
	if err != nil {
		return 0, err
	}
	if useless != "" {
		_, err := io.WriteString(out, string(judge.Unproven)+"\n  "+useless+"\n")
		return exitUnproven, err
	}
	result := judge.Judge(m)
	_, err = io.WriteString(out, printed(result))
	return map[judge.Verdict]int{judge.Accepted: exitGood, judge.Kept: exitGood, judge.Unproven: exitUnproven,
		judge.Dropped: exitBroken, judge.Differs: exitBroken}[result.Verdict], err
}

// take puts each file where it belongs. The text says which file is of no use, and is empty if each is of use.
func take(m *judge.Material, names []string, in io.Reader) (string, error) {
	var answers []string
	for _, name := range names {
		text, err := readFile(name, in)
		if err != nil {
			return "", err
		}
		switch place := place(m, text); {
		case judge.FormOf(text) == judge.IsAnswer:
			answers = append(answers, text)
		case place == nil:
			return unknown(name, text), nil
		case *place == "":
			*place = text
		case place == &m.Proof || place == &m.Checkpoint && !strings.HasPrefix(strings.TrimSpace(text), "{"):
			*place += "\n" + text
		default:
			return "", fmt.Errorf("%w: %s is a second file of its kind", errUsage, name)
		}
	}
	// An answer with a receipt in it is the receipt, and the content too; or the content alone, where there is a receipt.
	for _, answer := range answers {
		switch {
		case m.Receipt == "":
			m.Receipt = answer
		case m.Content == "":
			m.Content = answer
		default:
			return "", fmt.Errorf("%w: there are more reports than one", errUsage)
		}
	}
	if m.Receipt == "" {
		return "", fmt.Errorf("%w: no file is a receipt", errUsage)
	}
	return "", nil
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

// place is where a text belongs, by its form; nil for a text that is of no use.
func place(m *judge.Material, text string) *string {
	return map[judge.Form]*string{judge.IsReceipt: &m.Receipt, judge.IsProof: &m.Proof, judge.IsCheckpoint: &m.Checkpoint, judge.IsKeys: &m.Keys,
		judge.IsContent: &m.Content}[judge.FormOf(text)]
}

// unknown says that a file is of no use, and what it says itself if it is an error answer.
func unknown(name, text string) string {
	var problem struct{ Code, Detail string }
	if json.Unmarshal([]byte(text), &problem) == nil && problem.Code != "" {
		return fmt.Sprintf("%s cannot be read: it is an error answer, %q: %q.", name, problem.Code, problem.Detail)
	}
	return name + " cannot be read: it is no receipt, proof, checkpoint, keys, report, comment, note or assignment."
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
