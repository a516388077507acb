// Command cmd runs a command of an operator in the deployed function migrate of a stage, or, without a stage, with the settings of
// the environment:
//
//	cmd -stage staging fsck
//	cmd -stage staging -sql "SELECT count(*) FROM reports" sql
//	cmd -stage staging -file sucos.geojson -level suco -parent post import
//	cmd -stage staging new-epoch
//
// With a stage, the caller needs the right lambda:InvokeFunction on lafaekstreet-STAGE-migrate. The exit status is 0, 1 if fsck found
// a fault, and 2 if the command failed.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/lafaekstreet/backend/functions/geocode/importboundaries"
	"github.com/lafaekstreet/backend/functions/migrate/operate"
	"github.com/lafaekstreet/backend/shared/config"
)

func main() {
	var r operate.Request
	stage := flag.String("stage", "", "stage of the deployed system; empty: the settings of the environment")
	file := flag.String("file", "", "file of import")
	flag.StringVar(&r.SQL, "sql", "", "statement of sql")
	flag.BoolVar(&r.NoPictures, "no-pictures", false, "fsck: leave the pictures out")
	flag.StringVar(&r.Options.Level, "level", "municipality", "import: municipality, district, suco or locality")
	flag.StringVar(&r.Options.Name, "name", "name", "import: property that holds the name")
	flag.StringVar(&r.Options.Parent, "parent", "", "import: property that holds the name of the unit above; of localities the municipality")
	flag.StringVar(&r.Options.Code, "code", "", "import: property that holds a code")
	flag.Parse()
	r.Command = flag.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	a, err := call(ctx, *stage, *file, r)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Print(a.Output)
	os.Exit(a.Status)
}

func call(ctx context.Context, stage, file string, r operate.Request) (operate.Answer, error) {
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return operate.Answer{}, err
	}
	caller := operate.Here(env)
	switch {
	case stage != "":
		if caller, err = operate.Deployed(ctx, env, stage); err != nil {
			return operate.Answer{}, err
		}
	case r.Command == "import":
		return importHere(ctx, env, file, r.Options)
	}
	if r.Command == "import" {
		return operate.Import(ctx, caller, file, r)
	}
	return caller(ctx, r)
}

// importHere reads the file itself: it needs no storage.
func importHere(ctx context.Context, env config.Env, file string, o importboundaries.Options) (operate.Answer, error) {
	f, err := os.Open(file)
	if err != nil {
		return operate.Answer{}, err
	}
	defer func() { _ = f.Close() }()
	n, err := importboundaries.Run(ctx, o, f, cmp.Or(env["DATABASE_OWNER_URL"], env["DATABASE_URL"]))
	if err != nil {
		return operate.Answer{}, fmt.Errorf("import %s: %w", file, err)
	}
	return operate.Answer{Output: fmt.Sprintf("%d places of level %s\n", n, o.Level)}, nil
}
