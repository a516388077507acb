package auth

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/database"
)

// storeDevice keeps the phone somebody signed in from, when they named it.
func storeDevice(ctx context.Context, tx database.Querier, user uuid.UUID, d device) error {
	if d.DeviceID == "" {
		return nil
	}
	err := account.StoreDevice(ctx, tx, user, account.Device{ID: d.DeviceID, Platform: d.Platform, AppVersion: d.AppVersion,
		OSVersion: d.OSVersion, Model: d.Model, FCMToken: d.FCMToken})
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	return nil
}
