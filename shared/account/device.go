package account

import (
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// Device is one installation of an app.
type Device struct {
	ID         string // chosen by the app
	Platform   string // android, ios or web
	AppVersion string
	OSVersion  string
	Model      string
	FCMToken   string // empty leaves what is stored

	// Session is the session that registers the device. Push messages go to the device until that session ends.
	Session uuid.UUID
}

// maxDevices is how many installations a person keeps.
const maxDevices = 20

// StoreDevice adds or updates a device of a person in the caller's transaction. A push
// token belongs to the person who signed in last on that phone, so it is removed from
// all others. Beyond 20 devices, those unused for longest are deleted.
func StoreDevice(p database.Pipeline, user uuid.UUID, d Device) {
	const take = `
		UPDATE devices SET fcm_token = NULL, updated_at = now()
		 WHERE fcm_token = $3 AND $3 <> '' AND (user_id, device_id) <> ($1, $2)`
	p.Queue(take, user, d.ID, d.FCMToken)
	const upsert = `
		INSERT INTO devices AS d (user_id, device_id, platform, app_version, os_version, model, fcm_token, session_id)
		VALUES ($1, $2, $3, nullif($4, ''), nullif($5, ''), nullif($6, ''), nullif($7, ''),
		        (SELECT id FROM sessions WHERE id = $8 FOR KEY SHARE))
		ON CONFLICT (user_id, device_id) DO UPDATE
		   SET platform = excluded.platform, app_version = coalesce(excluded.app_version, d.app_version),
		       os_version = coalesce(excluded.os_version, d.os_version), model = coalesce(excluded.model, d.model),
		       fcm_token = coalesce(excluded.fcm_token, d.fcm_token), session_id = excluded.session_id, updated_at = now()`
	p.Queue(upsert, user, d.ID, d.Platform, d.AppVersion, d.OSVersion, d.Model, d.FCMToken, d.Session)
	const trim = `
		DELETE FROM devices WHERE (user_id, device_id) IN (
		    SELECT user_id, device_id FROM devices WHERE user_id = $1 ORDER BY updated_at DESC, device_id OFFSET $2)`
	p.Queue(trim, user, maxDevices)
}
