package main

import (
	"nepenthes/shared/config"
	"nepenthes/shared/lane"
	"nepenthes/shared/tables"
)

// environment holds the environment variables of each function.
type environment struct {
	settings config.Settings
	webhooks config.Webhooks
	oauth    config.OAuth
	console  config.Console
	fanout   config.Fanout
	sender   config.Sender
	sweeper  config.Sweeper
}

// environment returns the structs of package config, filled in.
func (s *stack) environment() environment {
	table := func(t tables.Table) string { return *s.tables[t.Name].TableName() }
	queue := func(name lane.Name) string { return *s.lanes.all[name].QueueUrl() }
	key := *s.secrets.key.KeyArn()
	common := config.Common{
		Stage:       s.stage,
		ConfigTable: table(tables.Config), EventsTable: table(tables.Events),
		DeliveriesTable: table(tables.Deliveries), StateTable: table(tables.State),
	}
	api := config.API{Common: common, Issuer: s.issuer(), RequestsPerSecond: float64(s.requestsPerSecond)}
	webhooks := config.Webhooks{
		API: api, AllowHTTP: s.allowHTTP, RetentionDays: s.retentionDays,
		EventsQueueURL: queue(lane.Events), DeliveriesQueueURL: queue(lane.Deliveries), RetriesQueueURL: queue(lane.Retries),
		KeyARN: key, CursorKeySecretARN: *s.secrets.cursorKey,
	}
	return environment{
		settings: config.Settings{API: api},
		webhooks: webhooks,
		oauth:    config.OAuth{API: api, KeyARN: key, AdministratorSecretARN: *s.secrets.administrator},
		console:  config.Console{Webhooks: webhooks, AdministratorSecretARN: *s.secrets.administrator},
		fanout: config.Fanout{
			Common: common, RetentionDays: s.retentionDays,
			DeliveriesQueueURL: queue(lane.Deliveries), EventsDeadLettersURL: queue(lane.Events.DeadLetters()),
		},
		sender:  config.Sender{Common: common, RetriesQueueURL: queue(lane.Retries), KeyARN: key},
		sweeper: config.Sweeper{Common: common, RetriesQueueURL: queue(lane.Retries)},
	}
}
