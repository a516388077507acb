package reports_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/images"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// largest is the size of the largest picture that is taken, in bytes.
const largest = 10_000_000

// A picture of exactly 10 MB goes straight to storage, is processed and shown; a byte more is refused at every door.
func TestTheLargestPicture(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open)
	worker, err := images.Open(t.Context(), w.Env)
	if err != nil {
		t.Fatal(err)
	}
	c := w.Citizen()
	picture := pictureOf(t, largest)
	c.Post("/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": largest + 1}).Want(http.StatusRequestEntityTooLarge)
	up := c.Post("/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": largest}).Want(http.StatusCreated).Object()
	if got := put(t, up, append(picture, 0)); got != http.StatusForbidden {
		t.Errorf("a byte more than was said: %d", got)
	}
	if got := put(t, up, picture); got != http.StatusOK {
		t.Fatalf("the picture: %d", got)
	}
	r := c.Post("/reports", newBody(object{"images": []object{{"upload_id": up.Text("upload_id")}}})).Want(http.StatusCreated).Object()
	arrived, err := json.Marshal(object{"Records": []object{{"eventName": "ObjectCreated:Put", "s3": object{"object": object{"key": up.Text("s3_key")}}}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := worker.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: uuid.NewString(), Body: string(arrived)}}})
	if err != nil || len(out.BatchItemFailures) > 0 {
		t.Fatalf("images: %v, %v", err, out.BatchItemFailures)
	}
	shown := c.Get("/reports/" + r.Text("id")).Want(http.StatusOK).Object()
	if s := shown.Items("images")[0].Text("status"); s != "processed" {
		t.Fatalf("the picture is %s", s)
	}
	res, err := http.Get(shown.Text("image_url"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := jpeg.Decode(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("what is shown: %d, %v", res.StatusCode, err)
	}
}

// put sends bytes straight to storage, as an upload says.
func put(t *testing.T, up apiclient.Object, body []byte) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), up.Text("upload.method"), up.Text("upload.url"), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	headers, _ := up.At("upload.headers").(map[string]any)
	for name, value := range headers {
		text, _ := value.(string)
		req.Header.Set(name, text)
	}
	req.ContentLength = int64(len(body))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// pictureOf is a JPEG of exactly size bytes: noise, and comments to fill it up.
func pictureOf(t *testing.T, size int) []byte {
	t.Helper()
	noise := image.NewGray(image.Rect(0, 0, 2400, 1800))
	source := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(source.Uint32())
	}
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, noise, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	const most = 60_000 // of one comment, with its marker and length
	out := append(make([]byte, 0, size), encoded.Bytes()[:2]...)
	for missing := size - encoded.Len(); missing > 0; {
		n := min(missing, most)
		if rest := missing - n; rest > 0 && rest < 4 { // a comment takes four bytes at least
			n -= 4
		}
		out = append(out, 0xff, 0xfe)
		out = binary.BigEndian.AppendUint16(out, uint16(n-2))
		out = append(out, bytes.Repeat([]byte{' '}, n-4)...)
		missing -= n
	}
	out = append(out, encoded.Bytes()[2:]...)
	if len(out) != size {
		t.Fatalf("a picture of %d bytes, want %d", len(out), size)
	}
	return out
}
