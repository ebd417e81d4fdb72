package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/fault"
	"nepenthes/shared/settings"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
)

const settingsKind = "settings"

// settingsItem is the stored form of the settings. Like the stored form of every noun, it differs from the noun only in
// its tags, so that Go converts one into the other. The compiler thus finds a field that is missing here, and a field
// that is renamed there keeps its stored name.
type settingsItem struct {
	APIEnabled     bool      `dynamodbav:"api"`
	MaxPageSize    int       `dynamodbav:"maxPageSize"`
	DocsEnabled    bool      `dynamodbav:"docs"`
	CORSEnabled    bool      `dynamodbav:"cors"`
	AllowedOrigins []string  `dynamodbav:"origins"`
	LockVersion    int64     `dynamodbav:"v"`
	UpdatedAt      time.Time `dynamodbav:"updatedAt"`
}

// Settings implements store.Catalogue.
func (s *Store) Settings(ctx context.Context) (_ settings.Settings, err error) {
	defer fault.Wrap(&err, "read the settings")
	stored, err := s.get(ctx, s.tables.Config, configKey(tables.SettingsPart, tables.SettingsPart))
	if err != nil || len(stored) == 0 {
		return settings.Defaults(), err
	}
	found, err := unmarshal[settingsItem](stored, settingsKind, "")
	return settings.Settings(found), err
}

// PutSettings implements store.Catalogue.
func (s *Store) PutSettings(ctx context.Context, set *settings.Settings) (err error) {
	defer fault.Wrap(&err, "store the settings")
	next := settingsItem(*set)
	next.LockVersion++
	made, err := marshal(next, configKey(tables.SettingsPart, tables.SettingsPart))
	if err != nil {
		return err
	}
	put, refused := versionedPut(s.tables.Config, settingsKind, "", made)
	err = s.change(ctx, "", func(context.Context) ([]write, error) {
		return []write{{types.TransactWriteItem{Put: put}, func(stored item) error {
			if len(stored) == 0 { // the defaults exist without being stored, so this is a conflict
				return store.Conflict(settingsKind)
			}
			return refused(stored)
		}}}, nil
	})
	if err == nil {
		set.LockVersion = next.LockVersion
	}
	return err
}
