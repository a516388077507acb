// Command cmd loads the polygons of municipalities, administrative posts or sucos from a GeoJSON file. Addresses
// in these polygons are then found without a geocoder. With the level "locality" it loads the names of small places, each at a
// point: maps and searches have them.
//
// Usage: cmd -file F.geojson [-level municipality|district|suco|locality] [-name property] [-parent property] [-code property]
//
// It replaces everything of the level in one transaction, in the database of DATABASE_OWNER_URL, or of DATABASE_URL when that is not set.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/lafaekstreet/backend/functions/geocode/importboundaries"
)

func main() {
	var o importboundaries.Options
	path := flag.String("file", "", "GeoJSON FeatureCollection of polygons (of points for localities), WGS 84")
	flag.StringVar(&o.Level, "level", "municipality", "municipality, district (administrative post), suco or locality")
	flag.StringVar(&o.Name, "name", "name", "property that holds the name")
	flag.StringVar(&o.Parent, "parent", "", "property that holds the name of the unit above; of localities the municipality")
	flag.StringVar(&o.Code, "code", "", "property that holds a code")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	n, err := load(ctx, o, *path, cmp.Or(os.Getenv("DATABASE_OWNER_URL"), os.Getenv("DATABASE_URL")))
	if err != nil {
		fmt.Fprintln(os.Stderr, "import:", err)
		stop()
		os.Exit(1)
	}
	fmt.Printf("%d places of level %s\n", n, o.Level)
}

func load(ctx context.Context, o importboundaries.Options, path, databaseURL string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	n, err := importboundaries.Run(ctx, o, file, databaseURL)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}
