package browser

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/chromedp"
)

// pageLeft matches what the browser says of a wait on a page that the tab has left: "Inspected target navigated or closed", "Cannot
// find context with specified id".
var pageLeft = regexp.MustCompile(`navigated|context`)

// Poll waits as chromedp.Poll does, as long as the context allows. If the tab opens another page meanwhile, it goes on there;
// chromedp.Poll fails.
func Poll(expression string, out any, options ...chromedp.PollOption) chromedp.Action {
	wait := chromedp.Poll(expression, out, append([]chromedp.PollOption{chromedp.WithPollingTimeout(0)}, options...)...)
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			err := wait.Do(ctx)
			var refused *cdproto.Error
			if !errors.As(err, &refused) || !pageLeft.MatchString(refused.Message) {
				return err
			}
			if err := chromedp.Sleep(50 * time.Millisecond).Do(ctx); err != nil {
				return err
			}
		}
	})
}
