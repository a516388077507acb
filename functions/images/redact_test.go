package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

// asked is what the route does that asks for a redaction: the large rendition moves to the next generation.
func (b *bundle) asked(id uuid.UUID, boxes string) {
	b.t.Helper()
	generation := one[int](b, `SELECT generation FROM uploads WHERE id = $1`, id)
	store := b.w.objects.(*storage.Store)
	if err := store.Copy(b.t.Context(), upload.RenditionKey(id, generation, upload.Display), upload.RenditionKey(id, generation+1, upload.Display)); err != nil {
		b.t.Fatal(err)
	}
	for _, key := range upload.RenditionKeys(id, generation, generation+1) {
		if err := store.Delete(b.t.Context(), key); err != nil {
			b.t.Fatal(err)
		}
	}
	b.exec(`UPDATE report_images SET boxes = $2::jsonb WHERE upload_id = $1`, id, boxes)
	b.exec(`UPDATE uploads SET state = 'redacting', generation = generation + 1, stale_from = coalesce(stale_from, generation), display_sha256 = NULL,
		thumbnail_sha256 = NULL, blurhash = NULL, processed_at = now() WHERE id = $1`, id)
}

// shown is the key of a rendition as it is now.
func (b *bundle) shown(id uuid.UUID, r upload.Rendition) string {
	b.t.Helper()
	return upload.RenditionKey(id, one[int](b, `SELECT generation FROM uploads WHERE id = $1 AND state = 'processed'`, id), r)
}

func (b *bundle) redact(id uuid.UUID) []int {
	b.t.Helper()
	return b.deliver(message(fmt.Sprintf(`{"redact_upload_id": "%s"}`, id), 1))
}

// object is the picture under a key.
func (b *bundle) object(key string) ([]byte, image.Image) {
	b.t.Helper()
	got, err := b.s3.GetObject(b.t.Context(), &s3.GetObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key)})
	if err != nil {
		b.t.Fatal(key, err)
	}
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	return raw, img
}

// brightest is the largest value of a colour in a part of a picture, given as fractions of it.
func brightest(img image.Image, x0, y0, x1, y1 float64) uint8 {
	bounds := img.Bounds()
	var most uint8
	for y := int(y0 * float64(bounds.Dy())); y < int(y1*float64(bounds.Dy())); y++ {
		for x := int(x0 * float64(bounds.Dx())); x < int(x1*float64(bounds.Dx())); x++ {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			most = max(most, c.R, c.G, c.B)
		}
	}
	return most
}

// The parts are black in both renditions for each EXIF orientation: boxes are of the upright picture. Nothing of the file's
// metadata is left, and the preview is another.
func TestRedactedPartsAreBlack(t *testing.T) {
	t.Parallel()
	for orientation := uint16(1); orientation <= 8; orientation++ {
		for _, original := range []bool{true, false} {
			t.Run(fmt.Sprintf("orientation %d, original %v", orientation, original), func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				white := image.NewRGBA(image.Rect(0, 0, 900, 500))
				for i := range white.Pix {
					white.Pix[i] = 255
				}
				id := b.upload(withEXIF(asJPEG(t, white, 90), tiff(orientation)), 0)
				report := b.attach(id)
				b.deliver(event(key(id), 1))
				before := one[string](b, `SELECT blurhash FROM uploads WHERE id = $1`, id)
				b.asked(id, `[{"x": 0.5, "y": 0.1, "width": 0.4, "height": 0.3}]`)
				if !original {
					if err := b.w.objects.Delete(t.Context(), key(id)); err != nil {
						t.Fatal(err)
					}
				}
				if failed := b.redact(id); failed != nil {
					t.Fatal("the message came back")
				}
				for _, r := range []upload.Rendition{upload.Display, upload.Thumbnail} {
					raw, img := b.object(upload.RenditionKey(id, 2, r))
					if bytes.Contains(raw, []byte("Exif")) {
						t.Errorf("%s has metadata", r)
					}
					if got := brightest(img, 0.51, 0.11, 0.89, 0.39); got > 12 {
						t.Errorf("%s: the box has a pixel of %d", r, got)
					}
					if got := brightest(img, 0, 0.6, 1, 1); got < 240 {
						t.Errorf("%s: the rest is dark: %d", r, got)
					}
				}
				if after := one[string](b, `SELECT blurhash FROM uploads WHERE id = $1`, id); after == before {
					t.Error("the preview is as before")
				}
				if got := one[string](b, `SELECT concat_ws(' ', state, generation, stale_from, deletion) FROM uploads WHERE id = $1`, id); got != "processed 2 0 original" {
					t.Errorf("upload %s", got)
				}
				e := b.events(report)
				if last := e[len(e)-1]; last.Event != "CONTENT_AMENDED" || len(last.Images) != 1 || last.ChangedBy.Kind != "system" {
					t.Errorf("newest event %+v", last)
				}
			})
		}
	}
}

// A worker that dies or whose storage fails at any call leaves a picture that nobody is shown, and the next delivery makes it.
func TestRedactionGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		operation string
		skip      int
	}{{"GetObject", 0}, {"PutObject", 0}, {"PutObject", 1}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.upload(testPicture(t), 0)
			b.attach(id)
			b.deliver(event(key(id), 1))
			b.asked(id, `[{"x": 0, "y": 0, "width": 1, "height": 1}]`)
			if err := b.faults.Add(faults.Fault{Service: "s3", Operation: c.operation, Mode: faults.Error, Skip: c.skip, Count: faults.Forever}); err != nil {
				t.Fatal(err)
			}
			if failed := b.redact(id); len(failed) != 1 {
				t.Error("the message did not come back")
			}
			if got := one[string](b, `SELECT state FROM uploads WHERE id = $1`, id); got != "redacting" {
				t.Errorf("the picture is %s", got)
			}
			b.faults.Clear()
			for range 2 { // delivered twice
				if failed := b.redact(id); failed != nil {
					t.Error("the message came back")
				}
			}
			if got := one[string](b, `SELECT state || ' ' || generation FROM uploads WHERE id = $1`, id); got != "processed 3" {
				t.Errorf("the picture is %s", got)
			}
			if _, img := b.object(b.shown(id, upload.Display)); brightest(img, 0, 0, 1, 1) > 12 {
				t.Error("it is not black")
			}
		})
	}
}

// An original that is another file than the one that was processed is not used: nobody has judged it. A redaction that was
// asked for again while the worker made the first is made with all boxes. The late event of an original changes nothing.
func TestRedactionOfChangedPictures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := testPicture(t)
	id := b.upload(file, 0)
	b.attach(id)
	b.deliver(event(key(id), 1))
	b.asked(id, `[{"x": 0, "y": 0, "width": 0.5, "height": 1}]`)
	another := asJPEG(t, photo(200, 120, 9), 90)
	if _, err := b.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key(id)), Body: strings.NewReader(string(another))}); err != nil {
		t.Fatal(err)
	}
	b.deliver(event(key(id), 1))
	if keys := b.keys(); !slices.Equal(keys, []string{upload.RenditionKey(id, 1, upload.Display)}) {
		t.Fatalf("after the late event: %v", keys)
	}
	_, before := b.object(upload.RenditionKey(id, 1, upload.Display))
	b.w.objects = &between{Objects: b.w.objects, then: func() {
		b.exec(`UPDATE report_images SET boxes = boxes || '[{"x": 0.8, "y": 0, "width": 0.2, "height": 1}]' WHERE upload_id = $1`, id)
	}}
	if failed := b.redact(id); len(failed) != 1 {
		t.Fatal("a redaction with the boxes of before was recorded")
	}
	if failed := b.redact(id); failed != nil {
		t.Fatal("the message came back")
	}
	_, after := b.object(b.shown(id, upload.Display))
	if brightest(after, 0, 0, 0.4, 1) > 12 || brightest(after, 0.9, 0, 1, 1) > 12 {
		t.Error("a box is not black")
	}
	if x, y := before.Bounds().Dx()*7/10, before.Bounds().Dy()/2; distance(before.At(x, y), after.At(x, y)) > 40 {
		t.Errorf("the middle is of another picture: %v and %v", before.At(x, y), after.At(x, y))
	}
}

func distance(a, b color.Color) int {
	x, y := color.GrayModel.Convert(a).(color.Gray), color.GrayModel.Convert(b).(color.Gray)
	return max(int(x.Y), int(y.Y)) - min(int(x.Y), int(y.Y))
}

// Four attempts redact a picture at once, each with one box more. The storage is slowest for the first. In the end every box is
// black, the stored files have the recorded hashes, and the files of the other attempts are deleted.
func TestLateRedactionReplacesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.upload(testPicture(t), 0)
	b.attach(id)
	b.deliver(event(key(id), 1))
	b.asked(id, `[]`)
	var gates []*gate
	for _, corner := range []string{`"x": 0, "y": 0`, `"x": 0.5, "y": 0`, `"x": 0, "y": 0.5`, `"x": 0.5, "y": 0.5`} {
		b.exec(`UPDATE report_images SET boxes = boxes || $2::jsonb WHERE upload_id = $1`, id, `[{`+corner+`, "width": 0.5, "height": 0.5}]`)
		worker := *b.w
		g := &gate{Objects: worker.objects, begun: make(chan struct{}), open: make(chan struct{}), done: make(chan error, 1)}
		worker.objects = g
		go func() { g.done <- worker.redact(t.Context(), id) }()
		<-g.begun
		gates = append(gates, g)
	}
	for i, g := range slices.Backward(gates) {
		close(g.open)
		if err := <-g.done; (err == nil) != (i == len(gates)-1) {
			t.Errorf("attempt %d: %v", i, err)
		}
	}
	for r, column := range map[upload.Rendition]string{upload.Display: "display_sha256", upload.Thumbnail: "thumbnail_sha256"} {
		raw, img := b.object(b.shown(id, r))
		if brightest(img, 0, 0, 1, 1) > 12 {
			t.Errorf("%s is not black", r)
		}
		if sum := sha256.Sum256(raw); !bytes.Equal(sum[:], one[[]byte](b, `SELECT `+column+` FROM uploads WHERE id = $1`, id)) {
			t.Errorf("%s is not the file that is recorded", r)
		}
	}
	want := []string{upload.RenditionKey(id, 1, upload.Display), b.shown(id, upload.Display), b.shown(id, upload.Thumbnail)}
	got := b.keys()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("stored are %v, want %v", got, want)
	}
}

// gate holds the first object that is put until open is closed.
type gate struct {
	Objects
	begun, open chan struct{}
	done        chan error // of the attempt
	once        sync.Once
}

// Put implements Objects.
func (g *gate) Put(ctx context.Context, key, contentType string, body []byte) error {
	g.once.Do(func() { close(g.begun); <-g.open })
	return g.Objects.Put(ctx, key, contentType, body)
}

// A picture that was taken away is not made again, and one without any file ends as refused.
func TestRedactionOfWhatIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone, lost := b.upload(testPicture(t), 0), b.upload(testPicture(t), 0)
	for _, id := range []uuid.UUID{gone, lost} {
		b.attach(id)
		b.deliver(event(key(id), 1))
		b.asked(id, `[{"x": 0, "y": 0, "width": 1, "height": 1}]`)
	}
	b.exec(`UPDATE uploads SET deletion = 'gone' WHERE id = $1`, gone)
	for _, key := range []string{key(lost), upload.RenditionKey(lost, 1, upload.Display)} {
		if err := b.w.objects.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []uuid.UUID{gone, lost, uuid.New()} {
		if failed := b.redact(id); failed != nil {
			t.Error("the message came back")
		}
	}
	if got := one[string](b, `SELECT string_agg(state, ' ' ORDER BY state) FROM uploads`); got != "redacting refused" {
		t.Errorf("uploads are %s", got)
	}
}

// between calls then once, after the first object was put.
type between struct {
	Objects
	then func()
}

// Put implements Objects.
func (o *between) Put(ctx context.Context, key, contentType string, body []byte) error {
	err := o.Objects.Put(ctx, key, contentType, body)
	if o.then != nil {
		o.then()
		o.then = nil
	}
	return err
}
