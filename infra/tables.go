package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"nepenthes/shared/tables"
)

// tableSet holds the tables by their names in package tables.
type tableSet map[string]awsdynamodb.Table

// newTables creates the tables that package tables declares. They outlive the stack. All except state, which may be
// lost, are also protected from deletion.
func newTables(scope constructs.Construct) tableSet {
	set := tableSet{}
	for _, t := range tables.All() {
		made := awsdynamodb.NewTable(scope, jsii.String(t.Name), &awsdynamodb.TableProps{
			PartitionKey:        attribute(t.Partition),
			BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
			RemovalPolicy:       awscdk.RemovalPolicy_RETAIN,
			DeletionProtection:  jsii.Bool(t.Name != tables.State.Name),
			SortKey:             sortKey(t),
			TimeToLiveAttribute: optional(t.TTL),
			PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
				PointInTimeRecoveryEnabled: jsii.Bool(t.Recovery),
			},
		})
		for _, index := range t.Indexes {
			made.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
				IndexName:      jsii.String(index.Name),
				PartitionKey:   attribute(index.Partition),
				SortKey:        attribute(index.Sort),
				ProjectionType: awsdynamodb.ProjectionType_KEYS_ONLY,
			})
		}
		set[t.Name] = made
	}
	return set
}

func attribute(a tables.Attribute) *awsdynamodb.Attribute {
	kinds := map[tables.Kind]awsdynamodb.AttributeType{
		tables.String: awsdynamodb.AttributeType_STRING,
		tables.Number: awsdynamodb.AttributeType_NUMBER,
		tables.Binary: awsdynamodb.AttributeType_BINARY,
	}
	return &awsdynamodb.Attribute{Name: jsii.String(a.Name), Type: kinds[a.Kind]}
}

func sortKey(t tables.Table) *awsdynamodb.Attribute {
	if t.Sort == nil {
		return nil
	}
	return attribute(*t.Sort)
}

// optional returns nil for an empty text, which leaves it out of the template.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// arns returns the ARNs that a grant on the table must name: the table's and each index's.
func (set tableSet) arns(t tables.Table) []*string {
	arns := []*string{set[t.Name].TableArn()}
	for _, index := range t.Indexes {
		arns = append(arns, awscdk.Fn_Join(jsii.String("/"), &[]*string{set[t.Name].TableArn(), jsii.String("index"), jsii.String(index.Name)}))
	}
	return arns
}
