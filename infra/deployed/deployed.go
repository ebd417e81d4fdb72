// Package deployed finds the resources of a deployed stage. CloudFormation chose the names of its tables, queues, key
// and functions.
package deployed

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/routes"
	"nepenthes/shared/tables"
)

// StackName is the name of a stage's stack.
func StackName(stage string) string { return "Nepenthes-" + stage }

// The concerns of the stack. A logical id of CloudFormation is the name of the concern and the name of the part, both
// without hyphens, and then a hash that the CDK adds.
const (
	Tables    = "Tables"
	Lanes     = "Lanes"
	Secrets   = "Secrets"
	Functions = "Functions"
)

// hash matches the end of a logical id.
var hash = regexp.MustCompile(`[0-9A-F]{8}$`)

// Stage is a deployed stage.
type Stage struct {
	name  string
	parts map[string]string // type and logical id without its hash → physical id
}

// ErrNone is the error for a stage that is not deployed in the account and region.
var ErrNone = errors.New("there is no such stack in this account and region")

// Find finds the resources of a stage. It returns ErrNone when the stage is not deployed in the account and region.
func Find(ctx context.Context, cfg aws.Config, stage string) (s *Stage, err error) {
	defer fault.Wrap(&err, "find the stack %s", StackName(stage))
	answer, err := cloudformation.NewFromConfig(cfg).DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{
		StackName: aws.String(StackName(stage)),
	})
	if refusal, ok := errors.AsType[smithy.APIError](err); ok && refusal.ErrorCode() == "ValidationError" {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	s = &Stage{name: StackName(stage), parts: map[string]string{}}
	for _, r := range answer.StackResources {
		s.parts[aws.ToString(r.ResourceType)+" "+hash.ReplaceAllString(aws.ToString(r.LogicalResourceId), "")] = aws.ToString(r.PhysicalResourceId)
	}
	return s, nil
}

func (s *Stage) part(kind, concern, name string) (string, error) {
	logical := concern + strings.ReplaceAll(name, "-", "")
	if id := s.parts[kind+" "+logical]; id != "" {
		return id, nil
	}
	return "", fmt.Errorf("%s has no %s %s", s.name, kind, logical)
}

// Tables returns the names of the stage's tables.
func (s *Stage) Tables() (names tables.Names, err error) {
	for _, t := range []struct {
		table tables.Table
		name  *string
	}{{tables.Config, &names.Config}, {tables.Events, &names.Events}, {tables.Deliveries, &names.Deliveries}, {tables.State, &names.State}} {
		if *t.name, err = s.part("AWS::DynamoDB::Table", Tables, t.table.Name); err != nil {
			return names, err
		}
	}
	return names, nil
}

// QueueURL returns the URL of the queue of a lane or a dead-letter lane.
func (s *Stage) QueueURL(name lane.Name) (string, error) {
	return s.part("AWS::SQS::Queue", Lanes, string(name))
}

// KeyID returns the id of the KMS key that wraps key pairs.
func (s *Stage) KeyID() (string, error) { return s.part("AWS::KMS::Key", Secrets, "Key") }

// Function returns the name of a function.
func (s *Stage) Function(f routes.Function) (string, error) {
	return s.part("AWS::Lambda::Function", Functions, string(f)+"Function")
}

// LogGroup returns the name of a function's log group.
func (s *Stage) LogGroup(f routes.Function) (string, error) {
	return s.part("AWS::Logs::LogGroup", Functions, string(f)+"Log")
}
