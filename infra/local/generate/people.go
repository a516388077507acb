package generate

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// agency repairs roads or other infrastructure.
type agency struct{ code, name, kind string }

func agencies() []agency {
	return []agency{
		{"DNEPCC", "Roads, Bridges and Flood Control", "national"}, {"BTL", "Water and Sanitation", "national"},
		{"EDTL", "Electricity", "national"}, {"AMD", "Dili Authority", "municipal"}, {"MBA", "Municipality of Baucau", "municipal"},
		{"RAEOA", "Authority of Oé-Cusse", "municipal"},
	}
}

func (w *dataset) agencyID(i int) uuid.UUID { return newID(w.start, w.draw(ofPerson, -1-i)) }

// The numbers of the two members of staff. They follow the citizens.
func (w *dataset) moderator() int { return w.people }
func (w *dataset) official() int  { return w.people + 1 }

func (w *dataset) personID(i int) uuid.UUID { return newID(w.start, w.draw(ofPerson, i)) }

// PersonID is the id of the account CitizenEmail(i) in a database generated with o.
func PersonID(o Options, i int) uuid.UUID { return newDataset(o).personID(i) }

func (f *filler) people(ctx context.Context) error {
	columns := []string{"id", "code", "name", "agency_type", "created_at"}
	err := f.copy(ctx, "agencies", columns, 0, len(f.agencies), func(i int, row write) {
		a := f.agencies[i]
		row(f.agencyID(i), a.code, a.name, a.kind, f.start)
	})
	if err != nil {
		return err
	}
	columns = []string{"id", "email", "email_verified_at", "password_hash", "full_name", "role", "agency_id", "preferred_language", "created_at", "updated_at"}
	err = f.copy(ctx, "users", columns, 0, f.dataset.people+2, func(i int, row write) {
		r := f.draw(ofPerson, i)
		id := newID(f.start, r)
		email, role := CitizenEmail(i), "citizen"
		var works *uuid.UUID
		switch i {
		case f.moderator():
			email, role = ModeratorEmail, "moderator"
		case f.official():
			agency := f.agencyID(0)
			email, role, works = OfficialEmail, "government_official", &agency
		}
		row(id, email, f.start, f.passwordHash, fullName(r), role, works, one(r, []string{"tet", "tet", "pt", "en"}), f.start, f.start)
	})
	if err != nil {
		return fmt.Errorf("people: %w", err)
	}
	return nil
}
