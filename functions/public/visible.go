package public

import "github.com/lafaekstreet/backend/shared/opendata"

// visible is the condition for reports r that everybody may see.
const visible = opendata.PublicCondition

// point is the place of a report r, as planar degrees. The index reports_public_point_idx has exactly this expression, and
// visible as its condition: change them together.
const point = `ST_SetSRID(ST_MakePoint(r.longitude, r.latitude), 4326)`
