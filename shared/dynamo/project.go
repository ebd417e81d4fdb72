package dynamo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"nepenthes/shared/fault"
	"nepenthes/shared/project"
	"nepenthes/shared/tables"
)

const projectKind = "project"

// projectItem is the stored form of a project; see settingsItem.
type projectItem struct {
	ID         string    `dynamodbav:"s"`
	Identifier string    `dynamodbav:"identifier"`
	Name       string    `dynamodbav:"name"`
	Gone       bool      `dynamodbav:"gone"`
	NewsAt     time.Time `dynamodbav:"newsAt"`
	CreatedAt  time.Time `dynamodbav:"createdAt"`
	Version    int64     `dynamodbav:"v"`
}

// Projects implements store.Projects.
func (s *Store) Projects(ctx context.Context) (_ []project.Project, err error) {
	defer fault.Wrap(&err, "list projects")
	found, err := s.partition(ctx, tables.ProjectsPart)
	if err != nil {
		return nil, err
	}
	all, err := projects(found)
	slices.SortFunc(all, func(a, b project.Project) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all, err
}

// ProjectsByID implements store.Projects.
func (s *Store) ProjectsByID(ctx context.Context, ids ...string) (_ []project.Project, err error) {
	defer fault.Wrap(&err, "read %d projects", len(ids))
	var keys []item
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if canBeKey(id) {
			keys = append(keys, configKey(tables.ProjectsPart, id))
		}
	}
	found, err := s.getAll(ctx, s.tables.Config, keys)
	if err != nil {
		return nil, err
	}
	return projects(found)
}

// projects returns the projects of items.
func projects(found []item) ([]project.Project, error) {
	all := make([]project.Project, len(found))
	for i, stored := range found {
		p, err := unmarshal[projectItem](stored, projectKind, "")
		if err != nil {
			return nil, err
		}
		all[i] = project.Project(p)
	}
	return all, nil
}

// PutProject implements store.Projects.
func (s *Store) PutProject(ctx context.Context, p *project.Project) (err error) {
	defer fault.Wrap(&err, "store project %s", p.ID)
	next := projectItem(*p)
	next.Version++
	made, err := marshal(next, configKey(tables.ProjectsPart, p.ID))
	if err != nil {
		return err
	}
	put, refused := versionedPut(s.tables.Config, projectKind, p.ID, made)
	// Projects are not part of the catalogue, so this is a single write, without a transaction.
	stored, lost, err := s.put(ctx, &dynamodb.PutItemInput{
		TableName: put.TableName, Item: put.Item,
		ConditionExpression: put.ConditionExpression, ExpressionAttributeValues: put.ExpressionAttributeValues,
	})
	if lost {
		err = refused(stored)
	}
	if err == nil {
		p.Version = next.Version
	}
	return err
}
