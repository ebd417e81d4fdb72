// Package lambdahost adapts the invocations of AWS Lambda, from queues and API Gateway, to handlers. Package local and
// the tests use the same adapters. No other package imports aws-lambda-go.
package lambdahost
