package api

import (
	"context"
	"log/slog"
)

// Via is the way by which a call came.
type Via string

// The ways.
const (
	ViaAPI     Via = "api"
	ViaConsole Via = "console"
)

// Action is what a write did. The list is closed: nothing else changes configuration or anybody's access.
type Action string

// The actions, each of a kind of thing.
const (
	UpdatedSettings Action = "settings.update"

	CreatedWebhook       Action = "webhook.create"
	UpdatedWebhook       Action = "webhook.update"
	DeletedWebhook       Action = "webhook.delete"
	PingedWebhook        Action = "webhook.ping"
	AddedWebhookSecret   Action = "webhook.add_secret"
	RemovedWebhookSecret Action = "webhook.remove_secret"

	RetriedDelivery Action = "delivery.retry"
	PutAProject     Action = "project.put"

	CreatedClient       Action = "client.create"
	UpdatedClient       Action = "client.update"
	DeletedClient       Action = "client.delete"
	AddedClientSecret   Action = "client.add_secret"
	RemovedClientSecret Action = "client.remove_secret"
	RevokedClient       Action = "client.revoke"

	BeganSession Action = "session.begin"
	EndedSession Action = "session.end"
)

// LogWritten writes the one line that every write leaves: who did what to which thing, by which way, in which request.
// It holds nothing of what was written.
func LogWritten(ctx context.Context, logger *slog.Logger, call Call, action Action, target string) {
	logger.InfoContext(ctx, "api.written",
		"client", call.ClientID, "via", string(call.Via), "action", string(action), "target", target, "request", call.Request)
}
