// Command print prints what a month costs: the table of decision 0014 without -reports, else one month line by line.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/lafaekstreet/backend/infra/cost"
)

func main() {
	profile := flag.String("profile", cost.External, "external or managed")
	reports := flag.Int("reports", -1, "reports in the month; 0 is at rest; without it the table of decision 0014")
	flag.Parse()
	if err := show(*profile, *reports); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(2)
	}
}

func show(profile string, reports int) error {
	m, err := cost.Read()
	if err != nil {
		return err
	}
	fmt.Printf("US dollars a month, %s, list prices of %s; requests counted on %s at %s.\n\n", m.Prices.Region, m.Prices.Date, m.Measured.Date, m.Measured.Commit)
	if reports >= 0 {
		return write(m.Items(profile, reports))
	}
	if err := write(m.Table()); err != nil {
		return err
	}
	if err := write(m.Summary()); err != nil {
		return err
	}
	return write(m.Assumptions(), nil)
}

func write(text string, err error) error {
	if err == nil {
		fmt.Println(text)
	}
	return err
}
