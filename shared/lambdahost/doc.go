// Package lambdahost calls handlers for the invocations of AWS Lambda by queues, API Gateway and schedules. Package local
// and the tests use the same adapters, so that they run the code of the cloud.
package lambdahost
