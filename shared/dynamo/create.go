package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/fault"
	"nepenthes/shared/tables"
)

// createTimeout is how long CreateTables waits for one table.
const createTimeout = time.Minute

// CreateTables creates the tables that do not exist and waits until each is ready. A minute after it asked for a table
// that is still not ready, it returns an error. CreateTables is for local and for tests. The template of a deployment
// creates its tables, because only the template also sets point-in-time recovery and expiry.
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
	}
	return nil
}

// creation returns the request that creates a table under a name.
func creation(table tables.Table, name string) *dynamodb.CreateTableInput {
	input := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(table.Partition, table.Sort),
	}
	attributes := []tables.Attribute{table.Partition}
	if table.Sort != nil {
		attributes = append(attributes, *table.Sort)
	}
	for _, index := range table.Indexes {
		attributes = append(attributes, index.Partition, index.Sort)
		// An index holds only keys, which makes its entries as cheap as possible. The rows are read by their keys.
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &index.Name, KeySchema: keySchema(index.Partition, &index.Sort),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		})
	}
	for _, attribute := range attributes {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &attribute.Name, AttributeType: types.ScalarAttributeType(attribute.Kind),
		})
	}
	return input
}

// keySchema returns the key of a table or an index. sort is nil if the key has no sort key.
func keySchema(partition tables.Attribute, sort *tables.Attribute) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: &partition.Name, KeyType: types.KeyTypeHash}}
	if sort != nil {
		schema = append(schema, types.KeySchemaElement{AttributeName: &sort.Name, KeyType: types.KeyTypeRange})
	}
	return schema
}
