package web

import (
	_ "embed" // the section

	"github.com/lafaekstreet/backend/shared/ledger"
)

// proofHTML is the section in which a reader has a report compared with the public log. The script for it, proof.js, is loaded
// when the button is pressed.
//
//go:embed pages/proof.html
var proofHTML string

// proof returns the section of a report. anchor is where the report is on the ledger; it may be empty.
func (v view) proof(number string, anchor fragment) (fragment, error) {
	out, err := v.fill(literal(proofHTML), map[string]fragment{"number": text(number), "mirror": text(v.mirror), "ledger": anchor})
	return fragment(out), err
}

// withEvents adds the names of the log's events to data for scripts: proof.js says them.
func (v view) withEvents(data map[string]any) map[string]any {
	data["events"] = labels(v, "event", ledger.Types())
	return data
}

// anchor says where a report is on the ledger.
func (v view) anchor(b ledger.Anchor) fragment {
	if b.TransactionID == nil {
		return markup(`<p class="soft">%s</p>`, text(v.t("page.report.not_anchored")))
	}
	transaction := markup(`<code>%s</code>`, text(*b.TransactionID))
	if b.ExplorerURL != nil && *b.ExplorerURL != "" {
		transaction = markup(`<a href="%s" rel="noopener">%s</a>`, address(*b.ExplorerURL), text(*b.TransactionID))
	}
	return markup(`<dl><dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%s</dd></dl>`, text(v.t("page.report.network")), text(b.Network),
		text(v.t("page.report.transaction")), transaction)
}
