// Package lambdahost is where a process meets AWS Lambda: the adapters from queues and API Gateway to the handlers
// of the work. It is the only importer of aws-lambda-go. The same adapters serve package local and the tests.
package lambdahost
