package users

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
)

func (g *Group) registerRead(a *httpapi.API) {
	me := operation(http.MethodGet, "/me", "Read the own profile", "All of it, with the settings that the person chose.")
	me.Cache, me.OperationID = httpapi.Never, "get_current_user_api_v1_users_me_get"
	httpapi.Register(a, me.WithProblems(errNotFound), g.me)

	other := operation(http.MethodGet, "/{user_id}", "Read a profile",
		"The own one in full, as an administrator (with the second factor) anybody's; of others what they show.")
	other.Cache, other.OperationID = httpapi.Never, "get_user_by_id_api_v1_users__user_id__get"
	httpapi.Register(a, other.WithProblems(errNotFound), g.read)
}

type userOutput struct {
	Body account.User
}

var errNotFound = problem.New(problem.NotFound, "user_not_found")

func (g *Group) me(ctx context.Context, _ *struct{}) (*userOutput, error) {
	u, err := g.load(ctx, identity.Must(ctx).UserID)
	return &userOutput{Body: u}, err
}

func (g *Group) load(ctx context.Context, id uuid.UUID) (account.User, error) {
	u, err := account.Load(ctx, g.db, id, httpapi.Origin(ctx))
	if errors.Is(err, account.ErrNotFound) {
		return account.User{}, errNotFound
	}
	return u, err
}

// UserPath names a person.
type UserPath struct {
	UserID uuid.UUID `path:"user_id" format:"uuid"`
}

// view is a profile as its reader may see it.
type view struct {
	full   *account.User
	public *account.Public
}

// MarshalJSON implements json.Marshaler.
func (v view) MarshalJSON() ([]byte, error) {
	if v.full != nil {
		return json.Marshal(v.full)
	}
	return json.Marshal(v.public)
}

// Schema implements huma.SchemaProvider. It is one schema, and not a union of two: what others do not see is optional.
func (view) Schema(r huma.Registry) *huma.Schema {
	const name = "UserProfile"
	seen := huma.SchemaFromType(r, reflect.TypeFor[account.Public]())
	profile := huma.SchemaFromType(r, reflect.TypeFor[account.User]())
	profile.Required = seen.Required
	profile.Properties["last_login_at"].Nullable = true // before the first sign-in
	profile.Description = "All members for the person and for administrators. Others see those that are required, and phonenumber and instagram where the person shares them"
	r.Map()[name] = profile
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

type viewOutput struct {
	Body view
}

func (g *Group) read(ctx context.Context, in *UserPath) (*viewOutput, error) {
	c := identity.Must(ctx)
	admin, _ := c.IsAdmin() // without the second factor an administrator sees what a citizen sees
	if c.UserID == in.UserID || admin {
		u, err := g.load(ctx, in.UserID)
		return &viewOutput{Body: view{full: &u}}, err
	}
	public, err := account.LoadPublic(ctx, g.db, in.UserID, httpapi.Origin(ctx))
	if errors.Is(err, account.ErrNotFound) {
		err = errNotFound
	}
	return &viewOutput{Body: view{public: &public}}, err
}

// self returns the caller when id is theirs, else a 403.
func self(ctx context.Context, id uuid.UUID) (identity.Caller, error) {
	c := identity.Must(ctx)
	if c.UserID != id {
		return identity.Caller{}, errForbidden
	}
	return c, nil
}
