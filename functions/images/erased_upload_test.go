package images

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/upload"
)

// erasing runs erase after the first rendition has been written.
type erasing struct {
	Objects
	erase func()
}

func (e erasing) Put(ctx context.Context, key, contentType string, body []byte) error {
	defer e.erase()
	return e.Objects.Put(ctx, key, contentType, body)
}

func TestAnUploadErasedDuringTheWorkLeavesNoObjects(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.upload(testPicture(t), 0)
	b.w.objects = erasing{b.w.objects, func() { b.exec(`DELETE FROM uploads WHERE id = $1`, id) }}
	if failed := b.deliver(event(key(id), 1)); failed != nil {
		t.Fatalf("failed %v", failed)
	}
	if keys := b.keys(); keys != nil {
		t.Errorf("left %v", keys)
	}
}

// A worker may die after it wrote renditions, and the upload may be erased before the message is delivered again.
func TestAnUploadErasedAfterAWorkerDiedLeavesNoObjects(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.upload(testPicture(t), 0)
	for _, name := range []upload.Rendition{upload.Display, upload.Thumbnail} {
		if err := b.w.objects.Put(t.Context(), original{id: id}.rendition(name), "image/jpeg", []byte("a face")); err != nil {
			t.Fatal(err)
		}
	}
	b.exec(`DELETE FROM uploads WHERE id = $1`, id)
	if failed := b.deliver(event(key(id), unknownKeyReceives)); failed != nil {
		t.Fatalf("failed %v", failed)
	}
	for _, left := range b.keys() {
		if strings.HasPrefix(left, "renditions/") {
			t.Errorf("left %s", left)
		}
	}
}

// The report of a picture may be withdrawn before the picture is processed, or while it is. Nothing made of it stays.
func TestAPictureThatWasTakenAwayIsNotPublished(t *testing.T) {
	t.Parallel()
	for _, deletion := range []string{"all", "gone"} {
		b := setup(t)
		during, before := b.upload(testPicture(t), 0), b.upload(testPicture(t), 0)
		const discard = `UPDATE uploads SET deletion = $2 WHERE id = $1`
		b.exec(discard, before, deletion)
		b.exec(`UPDATE uploads SET state = 'refused', refusal = 'too_large' WHERE id = $1`, before) // S3 may repeat its message
		if err := b.w.objects.Put(t.Context(), original{id: before}.rendition("display"), "image/jpeg", []byte("a face")); err != nil {
			t.Fatal(err)
		}
		b.w.objects = erasing{b.w.objects, func() { b.exec(discard, during, deletion) }}
		if failed := b.deliver(event(key(before), 1)); failed != nil {
			t.Fatalf("failed %v", failed)
		}
		if failed := b.deliver(event(key(during), 1)); failed != nil {
			t.Fatalf("failed %v", failed)
		}
		for _, left := range b.keys() {
			if strings.HasPrefix(left, "renditions/") {
				t.Errorf("%s: left %s", deletion, left)
			}
		}
	}
}

// The address of an upload works for an hour. Bytes that come after the account was deleted, or after the report was
// withdrawn, are not used, and relay deletes them again.
func TestBytesThatComeTooLateAreDeletedAgain(t *testing.T) {
	t.Parallel()
	const erase = `UPDATE users SET deleted_at = now(), email = NULL WHERE id = $1`
	gone := func(b *bundle, id uuid.UUID) { b.exec(`UPDATE uploads SET deletion = 'gone' WHERE id = $1`, id) }
	for _, c := range []struct {
		name   string
		before func(*bundle, uuid.UUID)
		during func(*bundle, uuid.UUID)
		want   string
	}{
		{"account erased", func(b *bundle, _ uuid.UUID) { b.exec(erase, b.person) }, nil, "refused all 0"},
		{"account erased, attached", func(b *bundle, id uuid.UUID) { b.attach(id); b.exec(erase, b.person) }, nil, "refused all 1"},
		{"account erased while it is processed", nil, func(b *bundle, _ uuid.UUID) { b.exec(erase, b.person) }, "refused all 0"},
		{"report withdrawn, files deleted", gone, nil, "refused all 0"},
		{"sent again after the erasure", func(b *bundle, id uuid.UUID) {
			b.attach(id)
			b.deliver(event(key(id), 1))
			b.exec(`DELETE FROM outbox`)
			b.exec(erase, b.person)
			b.exec(`UPDATE uploads SET exif_latitude = NULL, exif_longitude = NULL, exif_taken_at = NULL`)
		}, nil, "processed original 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.upload(testPicture(t), 0)
			if c.before != nil {
				c.before(b, id)
			}
			if c.during != nil {
				b.w.objects = erasing{b.w.objects, func() { c.during(b, id) }}
			}
			if failed := b.deliver(event(key(id), 1)); failed != nil {
				t.Fatalf("failed %v", failed)
			}
			const q = `SELECT concat_ws(' ', state, deletion, exif_latitude, exif_longitude, exif_taken_at, (SELECT count(*) FROM outbox WHERE queue = 'validate')) FROM uploads WHERE id = $1`
			if got := one[string](b, q, id); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if keys := b.keys(); (keys != nil) != strings.HasPrefix(c.want, "processed") {
				t.Errorf("renditions %v", keys)
			}
			if n := one[int](b, `SELECT count(*) FROM notifications`); n != 0 {
				t.Errorf("%d notifications", n)
			}
		})
	}
}
