// Package lambdahost adapts the invocations of AWS Lambda, from queues and API Gateway, to handlers. Package local and
// the tests use the same adapters. Outside tests, other packages import only
// the event types of aws-lambda-go.
package lambdahost
