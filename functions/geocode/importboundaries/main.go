// Command importboundaries loads the polygons of municipalities, administrative posts or sucos from a GeoJSON file. Addresses
// in these polygons are then found without a geocoder.
//
// Usage: importboundaries -file F.geojson [-level municipality|district|suco] [-name property] [-parent property] [-code property]
//
// It replaces all boundaries of the level in one transaction, in the database of DATABASE_URL.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	var o options
	flag.StringVar(&o.file, "file", "", "GeoJSON FeatureCollection of polygons, WGS 84")
	flag.StringVar(&o.level, "level", "municipality", "municipality, district (administrative post) or suco")
	flag.StringVar(&o.name, "name", "name", "property that holds the name")
	flag.StringVar(&o.parent, "parent", "", "property that holds the name of the unit above")
	flag.StringVar(&o.code, "code", "", "property that holds a code")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	n, err := run(ctx, o, os.Getenv("DATABASE_URL"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "import:", err)
		stop()
		os.Exit(1)
	}
	fmt.Printf("%d boundaries of level %s\n", n, o.level)
}
