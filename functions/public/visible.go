package public

// visible is the rule for what the public sees of reports r: never a rejected
// one, never a withdrawn one.
const visible = `r.deleted_at IS NULL AND r.status <> 'rejected'`

// point is a report's place as planar degrees. The index reports_public_point_idx
// is on this very expression and under this very rule.
const point = `ST_SetSRID(ST_MakePoint(r.longitude, r.latitude), 4326)`
