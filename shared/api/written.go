package api

import (
	"context"
	"log/slog"
)

// Via is the interface through which a call came.
type Via string

// The interfaces.
const (
	ViaAPI     Via = "api"
	ViaConsole Via = "console"
)

// Action is what a write did. The list is closed: no other operation changes configuration or anybody's access.
type Action string

// The actions.
const (
	UpdatedSettings Action = "settings.update"

	CreatedWebhook       Action = "webhook.create"
	UpdatedWebhook       Action = "webhook.update"
	DeletedWebhook       Action = "webhook.delete"
	PingedWebhook        Action = "webhook.ping"
	PausedWebhook        Action = "webhook.pause"
	ResumedWebhook       Action = "webhook.resume"
	AddedWebhookSecret   Action = "webhook.add_secret"
	RemovedWebhookSecret Action = "webhook.remove_secret"

	RetriedDelivery Action = "delivery.retry"
	WroteProject    Action = "project.put"

	CreatedClient       Action = "client.create"
	UpdatedClient       Action = "client.update"
	DeletedClient       Action = "client.delete"
	AddedClientSecret   Action = "client.add_secret"
	RemovedClientSecret Action = "client.remove_secret"
	RevokedClient       Action = "client.revoke"

	BeganSession Action = "session.begin"
	EndedSession Action = "session.end"
)

// LogWritten logs a write: who did what to which thing, through which interface, in which request. The line does not contain
// what was written, which could be a secret.
func LogWritten(ctx context.Context, logger *slog.Logger, call Call, action Action, target string) {
	logger.InfoContext(ctx, "api.written",
		"client", call.ClientID, "via", string(call.Via), "action", string(action), "target", target, "request", call.Request)
}
