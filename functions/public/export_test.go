package public

// The queries of the list of removals, for tests of their plans.
const (
	RemovalsSQL      = removalsQuery
	RemovalsCountSQL = removalsCount
)
