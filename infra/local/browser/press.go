package browser

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/chromedp"
)

// noteClicks has the page note whether an element that matches the selector was clicked.
const noteClicks = `
	window.pressed = false;
	window.pressing = %q;
	window.notesClicks ||= (document.addEventListener("click", (e) => { if (e.target.closest(window.pressing)) window.pressed = true; }, true), true);`

// Press clicks the first visible element that matches a selector, again if it moved away under the pointer.
func Press(selector string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			err := chromedp.Tasks{chromedp.WaitVisible(selector), chromedp.Evaluate(fmt.Sprintf(noteClicks, selector), nil),
				chromedp.Click(selector, chromedp.NodeVisible)}.Do(ctx)
			if err != nil {
				return err
			}
			for range 10 {
				var pressed bool
				if err := chromedp.Evaluate(`window.pressed !== false`, &pressed).Do(ctx); err != nil || pressed {
					return nil //nolint:nilerr // the click has led to another page
				}
				if err := chromedp.Sleep(50 * time.Millisecond).Do(ctx); err != nil {
					return err
				}
			}
		}
	})
}
