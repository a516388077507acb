package s3

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/local/aws/sigv4"
)

// form is a browser upload: the fields before the file, then the file.
type form struct {
	fields   map[string]string // by lower-case name
	filename string
	file     []byte
	found    bool
}

// readForm stops at the file: S3 ignores what comes after it.
func readForm(r *http.Request, body []byte) (form, error) {
	r.Body = io.NopCloser(bytes.NewReader(body))
	reader, err := r.MultipartReader()
	if err != nil {
		return form{}, err
	}
	f := form{fields: map[string]string{}}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return form{}, err
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return form{}, err
		}
		if strings.EqualFold(part.FormName(), "file") {
			f.file, f.filename, f.found = value, fileName(part), true
			return f, nil
		}
		f.fields[strings.ToLower(part.FormName())] = string(value)
	}
}

func fileName(part *multipart.Part) string {
	name := part.FileName()
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

type policy struct {
	Expiration time.Time         `json:"expiration"`
	Conditions []json.RawMessage `json:"conditions"`
}

// refusal is an answer of S3 to a form.
type refusal struct {
	status        int
	code, message string
}

func denied(format string, args ...any) *refusal {
	return &refusal{http.StatusForbidden, "AccessDenied", "Invalid according to Policy: " + fmt.Sprintf(format, args...)}
}

// check holds the form to the policy: every condition true, every field covered.
func (p policy) check(bucket string, f form, now time.Time) *refusal {
	if !now.Before(p.Expiration) {
		return denied("Policy expired.")
	}
	value := func(field string) string {
		if field == "bucket" {
			return bucket
		}
		return f.fields[field]
	}
	covered := []string{"x-amz-signature", "policy", "file", "bucket"}
	for _, raw := range p.Conditions {
		var exact map[string]string
		if json.Unmarshal(raw, &exact) == nil {
			for name, want := range exact {
				name = strings.ToLower(name)
				covered = append(covered, name)
				if value(name) != want {
					return denied("Policy Condition failed: [\"eq\", \"$%s\", \"%s\"]", name, want)
				}
			}
			continue
		}
		var list []any
		if json.Unmarshal(raw, &list) != nil || len(list) != 3 {
			return &refusal{http.StatusBadRequest, "InvalidPolicyDocument", "Invalid Policy: Invalid condition."}
		}
		operator, _ := list[0].(string)
		if strings.EqualFold(operator, "content-length-range") {
			low, okLow := list[1].(float64)
			high, okHigh := list[2].(float64)
			switch size := float64(len(f.file)); {
			case !okLow || !okHigh:
				return &refusal{http.StatusBadRequest, "InvalidPolicyDocument", "Invalid Policy: Invalid content-length-range."}
			case size < low:
				return &refusal{http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"}
			case size > high:
				return &refusal{http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"}
			}
			continue
		}
		name, _ := list[1].(string)
		want, _ := list[2].(string)
		name = strings.ToLower(strings.TrimPrefix(name, "$"))
		covered = append(covered, name)
		ok := false
		switch strings.ToLower(operator) {
		case "eq":
			ok = value(name) == want
		case "starts-with":
			ok = strings.HasPrefix(value(name), want)
		}
		if !ok {
			return denied("Policy Condition failed: [\"%s\", \"$%s\", \"%s\"]", operator, name, want)
		}
	}
	for name := range f.fields {
		if !slices.Contains(covered, name) && !strings.HasPrefix(name, "x-ignore-") {
			return denied("Extra input fields: %s", name)
		}
	}
	return nil
}

type postResponse struct {
	XMLName  xml.Name `xml:"PostResponse"`
	Location string
	Bucket   string
	Key      string
	ETag     string
}

func (s *Service) postObject(w http.ResponseWriter, r *http.Request, bucket string, body []byte) {
	if ok, err := s.backend.BucketExists(bucket); err != nil || !ok {
		writeError(w, r, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		return
	}
	f, err := readForm(r, body)
	if err != nil {
		writeError(w, r, http.StatusBadRequest, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
		return
	}
	if !f.found {
		writeError(w, r, http.StatusBadRequest, "InvalidArgument", "POST requires exactly one file upload per request.")
		return
	}
	if refused := s.checkForm(bucket, f); refused != nil {
		writeError(w, r, refused.status, refused.code, refused.message)
		return
	}
	key := strings.ReplaceAll(f.fields["key"], "${filename}", f.filename)
	if key == "" {
		writeError(w, r, http.StatusBadRequest, "InvalidArgument", "Bucket POST must contain a field named 'key'.")
		return
	}
	h := http.Header{}
	for name, value := range f.fields {
		h.Set(name, value)
	}
	keepHeaders(h)
	meta := map[string]string{"Last-Modified": s.opts.Now().UTC().Format(http.TimeFormat)}
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-") || name == "Content-Type" || name == "Content-Disposition" || name == "Content-Encoding" {
			meta[name] = h.Get(name)
		}
	}
	if _, err := s.backend.PutObject(bucket, key, meta, bytes.NewReader(f.file), int64(len(f.file)), nil); err != nil {
		writeError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	s.created(bucket, key, "Post")
	object, err := s.backend.HeadObject(bucket, key)
	if err != nil {
		writeError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	etag := `"` + hex.EncodeToString(object.Hash) + `"`
	w.Header().Set("ETag", etag)
	switch f.fields["success_action_status"] {
	case "200":
		w.WriteHeader(http.StatusOK)
	case "201":
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusCreated)
		writeXML(w, postResponse{Location: "http://" + r.Host + "/" + bucket + "/" + key, Bucket: bucket, Key: key, ETag: etag})
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Service) checkForm(bucket string, f form) *refusal {
	encoded := f.fields["policy"]
	if encoded == "" {
		return &refusal{http.StatusForbidden, "AccessDenied", "Access Denied"}
	}
	err := s.opts.Verifier.VerifyPolicy(encoded, f.fields["x-amz-credential"], f.fields["x-amz-algorithm"], f.fields["x-amz-date"], f.fields["x-amz-signature"])
	var e *sigv4.Error
	if errors.As(err, &e) {
		switch e.Kind {
		case sigv4.Malformed:
			return &refusal{http.StatusBadRequest, "InvalidArgument", e.Detail}
		case sigv4.UnknownKey:
			return &refusal{http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."}
		default:
			return &refusal{http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method."}
		}
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	var p policy
	if err != nil || json.Unmarshal(raw, &p) != nil {
		return &refusal{http.StatusBadRequest, "InvalidPolicyDocument", "Invalid Policy: Invalid JSON."}
	}
	return p.check(bucket, f, s.opts.Now())
}
