package auth

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/devices"
)

// storeDevice keeps the phone somebody signed in from, when they named it.
func storeDevice(ctx context.Context, tx database.Querier, user uuid.UUID, d device) error {
	if d.DeviceID == "" {
		return nil
	}
	err := devices.Store(ctx, tx, user, devices.Device{ID: d.DeviceID, Platform: d.Platform, AppVersion: d.AppVersion,
		OSVersion: d.OSVersion, Model: d.Model, FCMToken: d.FCMToken})
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	return nil
}
