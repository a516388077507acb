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

// parse reads the parts of a mail that a mail program shows. If data is not a valid mail, all of it becomes the text.
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
	m.readPart(message.Header.Get("Content-Type"), message.Header.Get("Content-Transfer-Encoding"), message.Body)
	return m
}

// readPart keeps the first plain text and the first HTML that it finds in a part and the parts inside it.
func (m *Mail) readPart(contentType, encoding string, body io.Reader) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			// NextPart would decode quoted-printable, but not base64. The raw part leaves both to readPart.
			part, err := parts.NextRawPart()
			if err != nil {
				return
			}
			m.readPart(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
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
