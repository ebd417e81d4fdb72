package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/routes"
	"nepenthes/shared/tables"
)

// mayWrite lists everything that each function may write in the tables whose writes are granted by part.
var mayWrite = map[routes.Function][]string{
	routes.Settings: {
		"put config settings", "put config catalogue",
		"put state l:*",
		"update state c:rate/*",
	},
	routes.Webhooks: {
		"put config webhook:*", "put config name", "put config catalogue", "put config project", "put config keypair:webhook-secrets", "put config jobs",
		"delete config webhook:*", "delete config name",
		"put state l:*",
		"update state c:rate/*",
	},
	routes.OAuth: {
		"put config client", "put config clients", "put config keypair:token-signing",
		"delete config client",
		"put state v:revoked/*",
		"update state c:sign-in/*", "update state c:rate/*",
	},
	routes.Console: {
		"put config settings", "put config webhook:*", "put config name", "put config catalogue", "put config project",
		"put config keypair:webhook-secrets", "put config client", "put config clients", "put config jobs",
		"delete config webhook:*", "delete config name", "delete config client",
		"put state l:*", "put state v:session/*", "put state v:session-use/*", "put state v:once/*",
		"delete state v:session/*", "delete state v:session-use/*", "delete state v:once/*",
		"update state c:sign-in/*", "update state c:rate/*",
	},
	routes.Fanout: {"put config project"},
	routes.Sender: {
		"put config webhook:*", "put config catalogue", "put config jobs",
		"put state l:*",
	},
	routes.Sweeper: {"put config jobs", "delete config jobs"},
}

// writeActions are the actions that write items. No function may use actions that name several items, or none.
var writeActions = map[string]string{"dynamodb:PutItem": "put", "dynamodb:UpdateItem": "update", "dynamodb:DeleteItem": "delete"}

func TestFunctionsWriteOnlyTheirParts(t *testing.T) {
	tpl := of(t, plain)
	for _, f := range routes.Functions() {
		var got []string
		for _, s := range tpl.statements(t) {
			for _, action := range s.actions {
				if !s.of(f) || !strings.HasPrefix(action, "dynamodb:") || slices.Contains(reading, action) {
					continue
				}
				if writeActions[action] == "" {
					t.Errorf("%s may %s", f, action)
				}
				for _, table := range []tables.Table{tables.Config, tables.State} {
					if !slices.ContainsFunc(s.resources, func(r any) bool { return called(id(r), "Tables", table.Name) }) {
						continue
					}
					parts := list(get(s.conditions, "ForAllValues:StringLike", "dynamodb:LeadingKeys"))
					if len(parts) == 0 {
						parts = []any{"everything"}
					}
					for _, part := range parts {
						got = append(got, fmt.Sprint(writeActions[action], " ", table.Name, " ", part))
					}
				}
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(slices.Sorted(slices.Values(mayWrite[f])), got); diff != "" {
			t.Errorf("%s: %s", f, diff)
		}
	}
}

// The rows that an attacker who has taken over a function would plant, and the only functions that may write them.
func TestOnlyOwnersWriteSensitiveRows(t *testing.T) {
	tpl := of(t, full)
	for row, makers := range map[string][]routes.Function{
		"config keypair:token-signing":   {routes.OAuth},
		"config keypair:webhook-secrets": {routes.Console, routes.Webhooks},
		"config keypair:other":           nil,
		"config keypair:":                nil,
		"config client":                  {routes.Console, routes.OAuth},
		"config clients":                 {routes.Console, routes.OAuth},
		"config settings":                {routes.Console, routes.Settings},
		"config webhook:3":               {routes.Console, routes.Sender, routes.Webhooks},
		"config project":                 {routes.Console, routes.Fanout, routes.Webhooks},
		"config jobs":                    {routes.Console, routes.Sender, routes.Sweeper, routes.Webhooks},
		"config jobs:x":                  nil,
		"config anything":                nil,
		"config Client":                  nil,
		"state v:session/x":              {routes.Console},
		"state v:session-use/x":          {routes.Console},
		"state v:revoked/x":              {routes.OAuth},
		"state v:anything":               nil,
		"state c:anything":               nil,
		"state client":                   nil,
		"state keypair:token-signing":    nil,
	} {
		name, key, _ := strings.Cut(row, " ")
		table, _ := tpl.one(t, "AWS::DynamoDB::Table", "Tables", name)
		var got []routes.Function
		for _, f := range routes.Functions() {
			_, function := tpl.function(t, f)
			policies := tpl.roleOf(t, id(function.Properties["Role"]))
			may := func(action string) bool {
				return allows(policies, request{
					action: action, resource: tpl.arn(t, table), context: map[string][]string{"dynamodb:LeadingKeys": {key}},
				})
			}
			if may("dynamodb:PutItem") {
				got = append(got, f)
			} else if may("dynamodb:UpdateItem") || may("dynamodb:DeleteItem") {
				t.Errorf("%s may change %s", f, row)
			}
			for _, action := range []string{"BatchWriteItem", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete", "ConditionCheckItem", "ImportTable", "UpdateTable"} {
				if may("dynamodb:" + action) {
					t.Errorf("%s may %s", f, action)
				}
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, makers) {
			t.Errorf("%s may be written by %v, want %v", row, got, makers)
		}
	}
}
