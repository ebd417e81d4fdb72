package rest

import "github.com/danielgtaylor/huma/v2"

// introduction is the beginning of the document.
const introduction = `Nepenthes takes events from your system and delivers them to your customers' webhooks: signed, retried, and with a log of every attempt.

**First steps.** Get a token with your client's id and secret at ` + "`/oauth/token`" + `, send it as a bearer token, create a webhook, push an event or send a test event, and read the webhook's deliveries.

**Answers** are HAL JSON: ` + "`_type`" + ` says what it is, ` + "`_links`" + ` where to go on, ` + "`_embedded`" + ` holds parts.

**Failures** are problem documents (RFC 9457) with a hint what to do; several faults of one body come together, each with its attribute. Members that are unknown are refused.

**Lists** are cut into pages by ` + "`pageSize`" + ` and, for small sets, ` + "`offset`" + ` (the number of the page); lists of deliveries are followed by their links.

**Versions.** What can be changed has a ` + "`lockVersion`" + `, which is also its ` + "`ETag`" + `: send it back with a change and nobody's work is lost.`

var tags = []*huma.Tag{
	{Name: tagRoot, Description: "Where the API begins."},
	{Name: tagSettings, Description: "What an administrator decides about the API."},
	{Name: tagWebhooks, Description: "URLs that get events, with their subscriptions and secrets."},
	{Name: tagDeliveries, Description: "One event for one webhook: where it stands, and every attempt."},
	{Name: tagEvents, Description: "What happened, the catalogue of what can happen, and who would want it."},
	{Name: tagProjects, Description: "The projects that webhooks can select."},
	{Name: tagClients, Description: "The applications that may call this API."},
	{Name: tagAuthorization, Description: "Tokens (OAuth 2.0 client credentials)."},
}
