package browser

import (
	"context"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// At gives the tab a place, in degrees (WGS 84) and metres, and allows its pages to ask for it. The permission holds for all tabs that
// share its storage.
func At(latitude, longitude, accuracy float64) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		allowed := browser.SetPermission(&browser.PermissionDescriptor{Name: "geolocation"}, browser.PermissionSettingGranted).
			WithBrowserContextID(chromedp.FromContext(ctx).BrowserContextID)
		place := emulation.SetGeolocationOverride().WithLatitude(latitude).WithLongitude(longitude).WithAccuracy(accuracy)
		return chromedp.Tasks{allowed, place}.Do(ctx)
	})
}

// Downloads has the tab, and all that share its storage, save files in a folder.
func Downloads(folder string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		return browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(folder).
			WithBrowserContextID(chromedp.FromContext(ctx).BrowserContextID).Do(ctx)
	})
}
