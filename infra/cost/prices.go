package cost

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed prices.json
var prices []byte

// Prices are list prices of one region at a date.
type Prices struct {
	Date, Region, Note string
	Prices             []Price
}

// Price is what a service takes for a quantity in a month.
type Price struct {
	Name   string
	Unit   string
	Per    float64 // how many units the amounts of the tiers are for
	Free   float64 // units of each month that cost nothing, for ever and once for each account
	Tiers  []Tier
	Source string // the public page that states the price
}

// Tier is a part of the price list: the units that are left after the tiers before it, as far as UpTo.
type Tier struct {
	UpTo float64 // units of a month, counted from the first that is paid; 0 is no end
	USD  float64
}

// ReadPrices reads prices.json.
func ReadPrices() (*Prices, error) {
	var p Prices
	if err := json.Unmarshal(prices, &p); err != nil {
		return nil, fmt.Errorf("read prices.json: %w", err)
	}
	return &p, nil
}

// find returns the price called name.
func (p *Prices) find(name string) (Price, error) {
	for _, price := range p.Prices {
		if price.Name == name {
			return price, nil
		}
	}
	return Price{}, fmt.Errorf("prices.json has no price %q", name)
}

// Cost is what a quantity costs in US dollars, less the free units.
func (p Price) Cost(quantity float64) float64 {
	paid, before, usd := max(quantity-p.Free, 0), 0.0, 0.0
	for _, t := range p.Tiers {
		end := paid
		if t.UpTo > 0 {
			end = min(paid, t.UpTo)
		}
		usd += max(end-before, 0) / p.Per * t.USD
		before = max(before, end)
	}
	return usd
}
