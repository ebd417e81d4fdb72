package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/fault"
	"nepenthes/shared/tables"
)

// createTimeout is how long CreateTables waits for one table or index.
const createTimeout = time.Minute

// indexPause is the time between two looks at an index that is not ready.
const indexPause = 200 * time.Millisecond

// CreateTables creates the tables that do not exist, adds the indexes that a table of an earlier version lacks, and waits
// until each is ready. A minute after it asked for a table or an index that is still not ready, it returns an error.
// CreateTables is for local and for tests. The template of a deployment creates its tables, because only the template
// also sets point-in-time recovery and expiry.
func CreateTables(ctx context.Context, cfg aws.Config, names tables.Names) (err error) {
	defer fault.Wrap(&err, "create tables")
	client := newClient(cfg)
	for _, table := range tables.All() {
		name := names.Of(table)
		_, err := client.CreateTable(ctx, creation(table, name))
		if _, there := errors.AsType[*types.ResourceInUseException](err); err != nil && !there {
			return classify(err)
		}
		made := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = time.Second })
		if err := made.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, createTimeout); err != nil {
			return classify(err)
		}
		for _, index := range table.Indexes {
			if err := addIndex(ctx, client, table, index, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// addIndex adds an index to a table under a name, unless the table has the index, and waits until the index is ready.
func addIndex(ctx context.Context, client *dynamodb.Client, table tables.Table, index tables.Index, name string) error {
	asked := false
	for deadline := time.Now().Add(createTimeout); ; {
		output, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return classify(err)
		}
		switch there, ready := findIndex(output.Table, index); {
		case ready:
			return nil
		case !there && !asked:
			if _, err := client.UpdateTable(ctx, addition(index, name)); err != nil {
				return classify(err)
			}
			asked = true
		case time.Now().After(deadline):
			return fmt.Errorf("index %s of table %s is not ready", index.Name, name)
		}
		select {
		case <-time.After(indexPause):
		case <-ctx.Done():
			return classify(ctx.Err())
		}
	}
}

// findIndex reports whether a table has an index, and whether the index can be read. An emulator may not report a status.
func findIndex(table *types.TableDescription, index tables.Index) (there, ready bool) {
	for _, found := range table.GlobalSecondaryIndexes {
		if aws.ToString(found.IndexName) == index.Name {
			return true, found.IndexStatus == types.IndexStatusActive || found.IndexStatus == ""
		}
	}
	return false, false
}

// addition returns the request that adds an index to a table under a name.
func addition(index tables.Index, name string) *dynamodb.UpdateTableInput {
	made := globalIndex(index)
	return &dynamodb.UpdateTableInput{
		TableName: &name, AttributeDefinitions: definitions([]tables.Attribute{index.Partition, index.Sort}),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: made.IndexName, KeySchema: made.KeySchema, Projection: made.Projection,
		}}},
	}
}

// creation returns the request that creates a table under a name.
func creation(table tables.Table, name string) *dynamodb.CreateTableInput {
	input := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(table.Partition, table.Sort),
	}
	for _, index := range table.Indexes {
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, globalIndex(index))
	}
	input.AttributeDefinitions = definitions(attributesOf(table))
	return input
}

// globalIndex returns the declaration of an index. An index holds only keys, which makes its entries as cheap as
// possible. The rows are read by their keys.
func globalIndex(index tables.Index) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName: &index.Name, KeySchema: keySchema(index.Partition, &index.Sort),
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
	}
}

// attributesOf returns the attributes of the keys of a table and of its indexes, each once.
func attributesOf(table tables.Table) []tables.Attribute {
	attributes := []tables.Attribute{table.Partition}
	if table.Sort != nil {
		attributes = append(attributes, *table.Sort)
	}
	for _, index := range table.Indexes {
		for _, attribute := range []tables.Attribute{index.Partition, index.Sort} {
			if !slices.Contains(attributes, attribute) {
				attributes = append(attributes, attribute)
			}
		}
	}
	return attributes
}

// definitions returns the declarations of attributes.
func definitions(attributes []tables.Attribute) (definitions []types.AttributeDefinition) {
	for _, attribute := range attributes {
		definitions = append(definitions, types.AttributeDefinition{
			AttributeName: &attribute.Name, AttributeType: types.ScalarAttributeType(attribute.Kind),
		})
	}
	return definitions
}

// keySchema returns the key of a table or an index. sort is nil if the key has no sort key.
func keySchema(partition tables.Attribute, sort *tables.Attribute) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: &partition.Name, KeyType: types.KeyTypeHash}}
	if sort != nil {
		schema = append(schema, types.KeySchemaElement{AttributeName: &sort.Name, KeyType: types.KeyTypeRange})
	}
	return schema
}
