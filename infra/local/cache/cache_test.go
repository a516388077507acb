package cache

import (
	"testing"
	"time"

	"github.com/valkey-io/valkey-go"
)

// The server in this process must expire keys by the wall clock, or a rate limit would never be reset.
func TestKeysExpireWithoutServerProgram(t *testing.T) {
	t.Parallel()
	server, err := startInProcess()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	options, err := valkey.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	options.DisableCache = true
	client, err := valkey.NewClient(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	ctx := t.Context()
	if err := client.Do(ctx, client.B().Set().Key("limit").Value("1").PxMilliseconds(50).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil {
		left, err := client.Do(ctx, client.B().Exists().Key("limit").Build()).AsInt64()
		if err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
