package s3

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/aws/sigv4"
)

type errorBody struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string `xml:",omitempty"`
	RequestId string
}

func writeError(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	id := uuid.NewString()
	w.Header().Set("X-Amz-Request-Id", id)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		writeXML(w, errorBody{Code: code, Message: message, Resource: r.URL.Path, RequestId: id})
	}
}

func writeXML(w http.ResponseWriter, v any) {
	_, _ = w.Write([]byte(xml.Header))
	_ = xml.NewEncoder(w).Encode(v)
}

// writeSignatureError answers as S3 does for each way a signature can be wrong.
func writeSignatureError(w http.ResponseWriter, r *http.Request, err error) {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		writeError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	switch e.Kind {
	case sigv4.Missing:
		writeError(w, r, http.StatusForbidden, "AccessDenied", "Access Denied")
	case sigv4.Malformed:
		code := "AuthorizationHeaderMalformed"
		if r.URL.Query().Has("X-Amz-Signature") {
			code = "AuthorizationQueryParametersError"
		}
		writeError(w, r, http.StatusBadRequest, code, e.Detail)
	case sigv4.UnknownKey:
		writeError(w, r, http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	case sigv4.Skewed:
		writeError(w, r, http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	case sigv4.Expired:
		writeError(w, r, http.StatusForbidden, "AccessDenied", "Request has expired")
	case sigv4.BadPayload:
		writeError(w, r, http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	default:
		writeError(w, r, http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	}
}

// checksums are the algorithms of checksum headers, by the name in the header.
func checksums() map[string]func([]byte) []byte {
	return map[string]func([]byte) []byte{
		"Crc32": func(body []byte) []byte { return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body)) },
		"Crc32c": func(body []byte) []byte {
			return binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
		},
		"Sha1":   func(body []byte) []byte { sum := sha1.Sum(body); return sum[:] },
		"Sha256": func(body []byte) []byte { sum := sha256.Sum256(body); return sum[:] },
	}
}

// checkChecksums compares the body with every checksum header it knows.
func checkChecksums(h http.Header, body []byte) error {
	for algorithm, sum := range checksums() {
		want := h.Get("X-Amz-Checksum-" + algorithm)
		if want != "" && want != base64.StdEncoding.EncodeToString(sum(body)) {
			return fmt.Errorf("The %s you specified did not match the calculated checksum.", algorithm) //nolint:staticcheck // the service's own words
		}
	}
	return nil
}
