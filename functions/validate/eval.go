package validate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Sample is one picture of an evaluation with its label, the correct answer.
type Sample struct {
	Path      string
	Relevant  bool
	IssueType report.IssueType // empty if the picture is not relevant
}

// irrelevantFolder holds the pictures that the model should reject.
const irrelevantFolder = "irrelevant"

// Samples lists the JPEG files of a folder with their labels. Each picture lies in a
// folder named after its issue type, or in "irrelevant". The models accept files of
// at most 3.75 MB; the images worker makes smaller ones.
func Samples(dir fs.FS) ([]Sample, error) {
	var out []Sample
	err := fs.WalkDir(dir, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		ext := strings.ToLower(path.Ext(p))
		if ext != ".jpg" && ext != ".jpeg" {
			return nil
		}
		label := path.Base(path.Dir(p))
		if label == irrelevantFolder {
			out = append(out, Sample{Path: p})
			return nil
		}
		t, known := report.ParseIssueType(label)
		if !known {
			return fmt.Errorf("%s: folder %q is neither an issue type nor %q", p, label, irrelevantFolder)
		}
		out = append(out, Sample{Path: p, Relevant: true, IssueType: t})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	if len(out) == 0 {
		return nil, errors.New("read samples: no JPEG in folders named for an issue type or irrelevant")
	}
	return out, nil
}

// Score is the result of an evaluation, in numbers of pictures.
type Score struct {
	Samples         int
	Failed          int // no verdict, because a call failed
	Review          int // a person would decide
	Rejected        int // irrelevant and rejected
	WronglyRejected int // relevant and rejected
	Missed          int // irrelevant and verified
	// Confusion counts the model's issue types by the true issue type, for relevant pictures that were judged relevant.
	Confusion                 map[report.IssueType]map[report.IssueType]int
	InputTokens, OutputTokens int
}

// Precision is the share of rejections that were right, 0 to 1; 1 without rejections.
func (s Score) Precision() float64 { return share(s.Rejected, s.Rejected+s.WronglyRejected) }

// Recall is the share of the irrelevant pictures that were rejected, 0 to 1; 1 if
// there are no irrelevant pictures.
func (s Score) Recall(irrelevant int) float64 { return share(s.Rejected, irrelevant) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// tokenCount is the recorder of an evaluation. It only adds up tokens.
type tokenCount struct{ score *Score }

func (tokenCount) find(context.Context, string, answer) ([]byte, error) { return nil, nil }

// pay implements recorder. An evaluation has no budget.
func (tokenCount) pay(context.Context) error { return nil }

func (t tokenCount) record(_ context.Context, c call) error {
	t.score.InputTokens += c.answer.inputTokens
	t.score.OutputTokens += c.answer.outputTokens
	return nil
}

// Verdict is the result for one picture of an evaluation.
type Verdict struct {
	Path       string           `json:"path"`
	Truth      string           `json:"truth"` // the label: an issue type or irrelevant
	Relevant   *bool            `json:"is_relevant,omitempty"`
	Confidence float64          `json:"confidence,omitempty"`
	Outcome    string           `json:"outcome"` // verified, rejected, needs_review, failed
	IssueType  report.IssueType `json:"issue_type,omitempty"`
	Severity   int              `json:"severity_score,omitempty"`
	Error      string           `json:"error,omitempty"`
}

// Evaluate judges the samples as the worker does and compares the verdicts with the
// labels. It writes one Verdict to progress for each picture, as a line of JSON. It
// stops early only if ctx ends, a picture cannot be read or progress cannot be written.
func Evaluate(ctx context.Context, b Bedrock, m ModelConfig, limits settings.Settings, dir fs.FS, samples []Sample, progress io.Writer) (Score, error) {
	j := judge{models{bedrock: b, cfg: m}}
	score := Score{Samples: len(samples), Confusion: map[report.IssueType]map[report.IssueType]int{}}
	for _, s := range samples {
		jpeg, err := fs.ReadFile(dir, s.Path)
		if err != nil {
			return score, fmt.Errorf("evaluate: %w", err)
		}
		if f, ok := upload.Sniff(jpeg); !ok || f != upload.JPEG {
			return score, fmt.Errorf("evaluate: %s is not a JPEG", s.Path)
		}
		v := score.judge(ctx, j, limits, s, jpeg)
		if ctx.Err() != nil {
			return score, ctx.Err()
		}
		score.count(s, v)
		if err := json.NewEncoder(progress).Encode(v); err != nil {
			return score, fmt.Errorf("evaluate: %w", err)
		}
	}
	return score, nil
}

// judge judges one sample and adds the tokens to the score.
func (s *Score) judge(ctx context.Context, j judge, limits settings.Settings, of Sample, jpeg []byte) Verdict {
	v := Verdict{Path: of.Path, Truth: irrelevantFolder, Outcome: "failed"}
	if of.Relevant {
		v.Truth = string(of.IssueType)
	}
	r, err := j.relevance(ctx, tokenCount{s}, jpeg)
	switch {
	case malformed(err):
		v.Outcome, v.Error = "needs_review", errorText(err)
		return v
	case err != nil:
		v.Error = errorText(err)
		return v
	}
	v.Relevant, v.Confidence = &r.Relevant, r.Confidence
	if !r.Relevant {
		v.Outcome = "needs_review"
		if r.Confidence >= limits.RejectConfidence {
			v.Outcome = "rejected"
		}
		return v
	}
	d, err := j.damage(ctx, tokenCount{s}, subject{issueType: report.OtherProblem}, r, jpeg)
	switch {
	case malformed(err):
		v.Outcome, v.Error = "needs_review", errorText(err)
	case err != nil:
		v.Error = errorText(err)
	default:
		v.IssueType, v.Severity, v.Outcome = d.IssueType, d.Score, "verified"
		if r.Confidence < limits.AcceptConfidence {
			v.Outcome = "needs_review"
		}
	}
	return v
}

// count adds one verdict to the score.
func (s *Score) count(of Sample, v Verdict) {
	switch v.Outcome {
	case "failed":
		s.Failed++
	case "needs_review":
		s.Review++
	case "rejected":
		if of.Relevant {
			s.WronglyRejected++
		} else {
			s.Rejected++
		}
	case "verified":
		if !of.Relevant {
			s.Missed++
		}
	}
	if of.Relevant && v.IssueType != "" {
		if s.Confusion[of.IssueType] == nil {
			s.Confusion[of.IssueType] = map[report.IssueType]int{}
		}
		s.Confusion[of.IssueType][v.IssueType]++
	}
}

// Report writes the score as text. Prices are in USD for a million tokens; 0 means unknown.
func (s Score) Report(w io.Writer, samples []Sample, inputPrice, outputPrice float64) error {
	irrelevant := 0
	for _, x := range samples {
		if !x.Relevant {
			irrelevant++
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d pictures: %d relevant, %d irrelevant; %d to review, %d without a verdict\n", s.Samples, s.Samples-irrelevant, irrelevant, s.Review, s.Failed)
	fmt.Fprintf(&b, "rejection: precision %.3f (%d wrongly rejected), recall %.3f (%d verified by mistake)\n", s.Precision(), s.WronglyRejected, s.Recall(irrelevant), s.Missed)
	fmt.Fprintf(&b, "tokens: %d in, %d out", s.InputTokens, s.OutputTokens)
	if inputPrice > 0 || outputPrice > 0 {
		cost := (float64(s.InputTokens)*inputPrice + float64(s.OutputTokens)*outputPrice) / 1e6
		fmt.Fprintf(&b, "; %.4f USD, %.4f USD for 1,000 pictures", cost, 1000*cost/float64(max(s.Samples, 1)))
	}
	b.WriteString("\n")
	for _, truth := range report.IssueTypes() {
		if row := s.Confusion[truth]; len(row) > 0 {
			fmt.Fprintf(&b, "%-14s taken for", truth)
			for _, t := range slices.SortedFunc(maps.Keys(row), func(a, b report.IssueType) int { return row[b] - row[a] }) {
				fmt.Fprintf(&b, " %s %d", t, row[t])
			}
			b.WriteString("\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
