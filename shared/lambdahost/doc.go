// Package lambdahost adapts the invocations of AWS Lambda, from queues and API Gateway, to handlers. No other package
// runs on aws-lambda-go. Package local and the tests use the same adapters.
package lambdahost
