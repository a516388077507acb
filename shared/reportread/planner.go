package reportread

// What the planner is told before a list is read, until the end of the transaction, which in a batch of its own is the
// batch.
const (
	// useIndexes keeps it from reading all reports: for a list that is bounded it takes the beginning of the table for
	// cheap, and where few reports match, the beginning is all of it. Nor is another process worth starting for a page.
	useIndexes = `SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`

	// useWords is for a text. A plan made for one word trusts a guess of how common that is, and where it errs, walks along
	// all reports for the last of the first thousand; one made for any word looks them up.
	useWords = useIndexes + `, set_config('plan_cache_mode', 'force_generic_plan', true)`

	// usePlaces is for what is narrowed to a place, where the plan must be made for the place: how many reports lie around
	// it is known well, and differs by a thousand times. What lists read is in memory, where a page out of order costs as
	// much as the next: then an index that finds reports one by one, and stops at the bound, wins over one that must have
	// found all of them before the first.
	usePlaces = useIndexes + `, set_config('plan_cache_mode', 'force_custom_plan', true), set_config('random_page_cost', '1.1', true)`
)
