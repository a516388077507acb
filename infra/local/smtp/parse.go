package smtp

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// parse reads what a mail program would show. A mail it cannot read is kept with
// its bytes as the text.
func parse(data []byte) Mail {
	message, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return Mail{Text: string(data)}
	}
	m := Mail{Headers: message.Header}
	subject := message.Header.Get("Subject")
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(subject); err != nil {
		m.Subject = subject
	}
	m.read(message.Header.Get("Content-Type"), message.Header.Get("Content-Transfer-Encoding"), message.Body)
	return m
}

// read takes the first text and the first HTML part, at any depth.
func (m *Mail) read(contentType, encoding string, body io.Reader) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			// The raw part keeps its transfer encoding for us to undo.
			part, err := parts.NextRawPart()
			if err != nil {
				return
			}
			m.read(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	raw, _ := io.ReadAll(body)
	text := strings.ReplaceAll(string(raw), "\r\n", "\n")
	switch {
	case kind == "text/plain" && m.Text == "":
		m.Text = text
	case kind == "text/html" && m.HTML == "":
		m.HTML = text
	}
}
