package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log"
	"math"
	"net/http"
	"os"
	"regexp"
	"time"
)

// object is JSON of any shape.
type object = map[string]any

// client calls the API for one person.
type client struct {
	base, token string
}

// do sends body and returns the answer. Anything but a success ends the program.
func (c *client) do(method, path string, body any, headers ...string) (object, []byte) {
	raw, err := json.Marshal(body)
	check(err)
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, c.base+path, content)
	check(err)
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	check(err)
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	check(err)
	if res.StatusCode >= 300 {
		log.Fatalf("%s %s: %d %s", method, path, res.StatusCode, answer)
	}
	var out object
	_ = json.Unmarshal(answer, &out) // a list stays nil
	return out, answer
}

// call is do with the prefix of the API.
func (c *client) call(method, path string, body any, headers ...string) object {
	out, _ := c.do(method, "/api/v1"+path, body, headers...)
	return out
}

// until asks for a report until done holds for it.
func (c *client) until(id string, done func(object) bool) object {
	for range 240 {
		if r := c.call("GET", "/reports/"+id, nil); done(r) {
			return r
		}
		time.Sleep(250 * time.Millisecond)
	}
	log.Fatalf("report %s never became as expected: %v", id, c.call("GET", "/reports/"+id, nil))
	return nil
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code is the code that was mailed to address.
func (c *client) code(address string) string {
	for range 120 {
		_, raw := c.do("GET", "/_local/mail?to="+address, nil)
		var mails []struct{ Text string }
		check(json.Unmarshal(raw, &mails))
		for _, m := range mails {
			if code := sixDigits.FindString(m.Text); code != "" {
				return code
			}
		}
		time.Sleep(250 * time.Millisecond)
	}
	log.Fatal("no mail for " + address)
	return ""
}

// totp is the code of a second factor now (RFC 6238).
func totp(secret string) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	check(err)
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, time.Now().Unix()/30)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1e6)
}

// picture draws a small picture; each n gives another one.
func picture(n int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 96, 72))
	for y := range 72 {
		for x := range 96 {
			v := 128 + 100*math.Sin(float64(x*(n%5+1))/9+float64(n))*math.Cos(float64(y*(n/5+1))/7)
			img.Set(x, y, color.RGBA{uint8(v), uint8(v * 0.8), uint8(40 * (n % 6)), 255})
		}
	}
	var b bytes.Buffer
	check(jpeg.Encode(&b, img, &jpeg.Options{Quality: 60}))
	return b.Bytes()
}

// upload sends picture n, where sent is true, and returns the upload's id.
func (c *client) upload(n int, sent bool) string {
	body := picture(n)
	u := c.call("POST", "/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": len(body)})
	if sent {
		to := u["upload"].(object)
		req, err := http.NewRequest(to["method"].(string), to["url"].(string), bytes.NewReader(body))
		check(err)
		for name, value := range to["headers"].(object) {
			req.Header.Set(name, value.(string))
		}
		res, err := http.DefaultClient.Do(req)
		check(err)
		_ = res.Body.Close()
		if res.StatusCode >= 300 {
			log.Fatalf("upload: %d", res.StatusCode)
		}
	}
	return u["upload_id"].(string)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// write stores v as JSON.
func write(name string, v any) {
	raw, err := json.MarshalIndent(v, "", "  ")
	check(err)
	check(os.WriteFile(name, append(raw, '\n'), 0o644))
}
