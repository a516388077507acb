package auth

import (
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/database"
)

// storeDevice keeps the phone somebody signed in from, when they named it.
func storeDevice(p database.Pipeline, user uuid.UUID, d device) {
	if d.DeviceID != "" {
		account.StoreDevice(p, user, account.Device{ID: d.DeviceID, Platform: d.Platform, AppVersion: d.AppVersion,
			OSVersion: d.OSVersion, Model: d.Model, FCMToken: d.FCMToken})
	}
}
