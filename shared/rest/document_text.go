package rest

import "github.com/danielgtaylor/huma/v2"

// introduction is the beginning of the document.
const introduction = `Nepenthes takes events from your system and delivers them to your customers' webhooks: signed, retried, and with a log of every attempt.

**First steps.** Get a token at ` + "`/oauth/token`" + ` with your client's id and secret, and send it as a bearer token. Create a webhook, push an event or send a test event, and read the webhook's deliveries.

**Answers** are HAL JSON: ` + "`_type`" + ` is the type of a resource, ` + "`_links`" + ` has its links, and ` + "`_embedded`" + ` has included resources.

**Failures** are problem documents (RFC 9457) with a hint what to do next. All faults of a body are reported at once, each with its attribute. Unknown members are refused.

**Lists** have pages of ` + "`pageSize`" + ` elements. Most lists have page numbers (` + "`offset`" + `). Pages of deliveries are reached by their links.

**Versions.** Every resource that can be changed has a ` + "`lockVersion`" + `, which is also its ` + "`ETag`" + `. Send it back with a change, so that the change does not overwrite somebody else's.`

var tags = []*huma.Tag{
	{Name: tagRoot, Description: "The root of the API."},
	{Name: tagSettings, Description: "The settings of the API."},
	{Name: tagWebhooks, Description: "URLs that get events, with their subscriptions and secrets."},
	{Name: tagDeliveries, Description: "A delivery is one event for one webhook, with all its attempts."},
	{Name: tagEvents, Description: "Events, the catalogue of event types, and which webhooks want an event."},
	{Name: tagProjects, Description: "The projects that webhooks can select."},
	{Name: tagClients, Description: "The applications that may call this API."},
	{Name: tagAuthorization, Description: "Access tokens (OAuth 2.0 client credentials)."},
}
