package interop

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"filippo.io/torchwood"
	formats "github.com/transparency-dev/formats/log"
	formatsproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/shared/translog"
)

var sizes = []int64{0, 1, 255, 256, 257, 65_535, 65_536, 70_000}

// published is a log on a web server.
type published struct {
	store *logtest.Memory
	*translog.Checkpoint
	vkey string
	url  *url.URL
}

// publish grows a log through the sizes and serves it.
func publish(t *testing.T, sizes ...int64) *published {
	t.Helper()
	store := logtest.NewMemory()
	p := &published{store: store, Checkpoint: logtest.Grown(t, store, sizes...), vkey: logtest.NewKey(t, logtest.Origin).VKey()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := store.Get(r.Context(), strings.TrimPrefix(r.URL.Path, "/log/"), 1<<30)
		if errors.Is(err, translog.ErrNotFound) {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(server.Close)
	var err error
	if p.url, err = url.Parse(server.URL + "/log/"); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *published) verifier(t *testing.T) note.Verifier {
	t.Helper()
	v, err := note.NewVerifier(p.vkey)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (p *published) policy(t *testing.T) torchwood.Policy {
	t.Helper()
	return torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(logtest.Origin), torchwood.SingleVerifierPolicy(p.verifier(t)))
}

// samples are indexes at the edges of tiles, and some between.
func (p *published) samples() []int64 {
	var out []int64
	for _, i := range []int64{0, 1, 127, 128, 254, 255, 256, 511, 512, 12_345, 65_534, 65_535, 65_536, 69_887, 69_888, p.N - 2, p.N - 1} {
		if i >= 0 && i < p.N {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func each(t *testing.T, test func(t *testing.T, p *published)) {
	t.Helper()
	for _, size := range sizes {
		t.Run(fmt.Sprint(size), func(t *testing.T) { test(t, publish(t, size)) })
	}
	t.Run("in rounds", func(t *testing.T) { test(t, publish(t, 1, 7, 255, 256, 300, 65_535, 65_800, 66_000, 70_000)) })
}

// fsckOf derives the whole log again with Tessera.
func (p *published) fsckOf(t *testing.T) error {
	t.Helper()
	fetcher, err := client.NewHTTPFetcher(p.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	hashes := func(bundle []byte) ([][]byte, error) {
		var b api.EntryBundle
		if err := b.UnmarshalText(bundle); err != nil {
			return nil, err
		}
		var out [][]byte
		for _, entry := range b.Entries {
			out = append(out, rfc6962.DefaultHasher.HashLeaf(entry))
		}
		return out, nil
	}
	return fsck.New(logtest.Origin, p.verifier(t), fetcher, hashes, fsck.Opts{N: 8}).Check(t.Context())
}

func TestTesseraFsck(t *testing.T) {
	each(t, func(t *testing.T, p *published) {
		if err := p.fsckOf(t); err != nil {
			t.Error(err)
		}
	})
}

// TestTesseraFsckSeesChanges shows that the test above can fail. The log is small: with a large one Tessera's fsck waits
// forever after it found a difference.
func TestTesseraFsckSeesChanges(t *testing.T) {
	for key := range publish(t, 255).store.Files() {
		p := publish(t, 255)
		data := p.store.Files()[key]
		data[len(data)-2] ^= 1
		if err := p.store.Put(t.Context(), translog.File{Key: key, Data: data}); err != nil {
			t.Fatal(err)
		}
		if err := p.fsckOf(t); err == nil {
			t.Errorf("%s was changed, and it is not seen", key)
		}
	}
}

// TestTesseraClient builds proofs from our tiles with Tessera, and checks them with transparency-dev/merkle.
func TestTesseraClient(t *testing.T) {
	each(t, func(t *testing.T, p *published) {
		fetcher, err := client.NewHTTPFetcher(p.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		c, _, _, err := client.FetchCheckpoint(t.Context(), fetcher.ReadCheckpoint, p.verifier(t), logtest.Origin)
		if err != nil || c.Size != uint64(p.N) || !bytes.Equal(c.Hash, p.Hash[:]) {
			t.Fatalf("%v %v", c, err)
		}
		if p.N == 0 {
			return
		}
		builder, err := client.NewProofBuilder(t.Context(), c.Size, fetcher.ReadTile)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.samples() {
			path, err := builder.InclusionProof(t.Context(), uint64(i))
			if err != nil {
				t.Fatal(err)
			}
			leaf := rfc6962.DefaultHasher.HashLeaf(logtest.Entry(i))
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(i), c.Size, leaf, path, c.Hash); err != nil {
				t.Errorf("entry %d: %v", i, err)
			}
		}
	})
}

// TestProofs checks our own proofs with transparency-dev/merkle, transparency-dev/formats and torchwood.
func TestProofs(t *testing.T) {
	each(t, func(t *testing.T, p *published) {
		proofs, err := translog.Prove(t.Context(), p.store, p.Checkpoint, p.samples()...)
		if err != nil {
			t.Fatal(err)
		}
		for _, ours := range proofs {
			var theirs formatsproof.TLogProof
			if err := theirs.Unmarshal([]byte(ours.String())); err != nil {
				t.Fatal(err)
			}
			if theirs.Index != uint64(ours.Index) || !bytes.Equal(theirs.ExtraData, logtest.Entry(ours.Index)) || !bytes.Equal(theirs.Checkpoint, p.Signed) {
				t.Errorf("entry %d is read as %+v", ours.Index, theirs)
			}
			var path [][]byte
			for _, h := range theirs.Hashes {
				path = append(path, h[:])
			}
			leaf := rfc6962.DefaultHasher.HashLeaf(theirs.ExtraData)
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, theirs.Index, uint64(p.N), leaf, path, p.Hash[:]); err != nil {
				t.Errorf("entry %d: %v", ours.Index, err)
			}
			if err := torchwood.VerifyProof(p.policy(t), tlog.Hash(leaf), []byte(ours.String())); err != nil {
				t.Errorf("entry %d: %v", ours.Index, err)
			}
			if string(theirs.Marshal()) != ours.String() {
				t.Errorf("entry %d: formats writes the proof in another way:\n%s", ours.Index, theirs.Marshal())
			}
			extra, err := torchwood.ProofExtraData([]byte(ours.String()))
			if err != nil || !bytes.Equal(extra, ours.Entry) {
				t.Errorf("entry %d: %q %v", ours.Index, extra, err)
			}
		}
	})
}

// TestConsistency checks our consistency proofs between all pairs of sizes with transparency-dev/merkle.
func TestConsistency(t *testing.T) {
	roots := map[int64]tlog.Hash{}
	for _, size := range sizes {
		p := publish(t, size)
		roots[size] = p.Hash
		for _, old := range sizes {
			if old > size {
				break
			}
			ours, err := translog.ProveConsistency(t.Context(), p.store, p.Tree, old)
			if err != nil {
				t.Fatal(err)
			}
			var path [][]byte
			for _, h := range ours {
				path = append(path, h[:])
			}
			from, to := roots[old], p.Hash
			if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(old), uint64(size), path, from[:], to[:]); err != nil {
				t.Errorf("%d to %d: %v", old, size, err)
			}
		}
	}
}

// TestCheckpoints reads ours with transparency-dev/formats and torchwood.
func TestCheckpoints(t *testing.T) {
	each(t, func(t *testing.T, p *published) {
		c, rest, _, err := formats.ParseCheckpoint(p.Signed, logtest.Origin, p.verifier(t))
		if err != nil || c.Size != uint64(p.N) || !bytes.Equal(c.Hash, p.Hash[:]) || len(rest) > 0 {
			t.Errorf("formats: %v %q %v", c, rest, err)
		}
		w, _, err := torchwood.VerifyCheckpoint(p.Signed, p.policy(t))
		if err != nil || w.Tree != p.Tree || w.Origin != logtest.Origin || w.Extension != "" {
			t.Errorf("torchwood: %v %v", w, err)
		}
	})
}

// TestTorchwoodClient reads all entries, and one with its proof.
func TestTorchwoodClient(t *testing.T) {
	each(t, func(t *testing.T, p *published) {
		fetcher, err := torchwood.NewTileFetcher(p.url.String(), torchwood.WithConcurrencyLimit(8))
		if err != nil {
			t.Fatal(err)
		}
		c, err := torchwood.NewClient(fetcher)
		if err != nil {
			t.Fatal(err)
		}
		next := int64(0)
		for i, entry := range c.AllEntries(t.Context(), p.Tree, 0) {
			if i != next || !bytes.Equal(entry, logtest.Entry(i)) {
				t.Fatalf("entry %d is %q", i, entry)
			}
			next++
		}
		if c.Err() != nil || next != p.N {
			t.Errorf("%d entries of %d, %v", next, p.N, c.Err())
		}
		for _, i := range p.samples() {
			entry, path, err := c.Entry(t.Context(), p.Tree, i)
			if err != nil || !bytes.Equal(entry, logtest.Entry(i)) || tlog.CheckRecord(path, p.N, p.Hash, i, tlog.RecordHash(entry)) != nil {
				t.Errorf("entry %d: %q %v", i, entry, err)
			}
		}
	})
}

// TestKeys compares the keys of tiles with those of torchwood.
func TestKeys(t *testing.T) {
	for _, n := range []int64{0, 7, 999, 1000, 1_234_067} {
		for _, w := range []int{1, 255, 256} {
			tile := tlog.Tile{H: 8, L: 3, N: n, W: w}
			if got, want := translog.TileKey(3, n, w), torchwood.TilePath(tile); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			tile.L = -1
			if got, want := translog.BundleKey(n, w), torchwood.TilePath(tile); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
}
