package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// newNetwork creates the network of the sender, for receivers that must know its address. All calls to receivers leave
// through one NAT gateway with a fixed address. Our own tables are reached without the NAT gateway.
func (s *stack) newNetwork() awsec2.Vpc {
	scope := s.part("Network")
	address := awsec2.NewCfnEIP(scope, jsii.String("Address"), &awsec2.CfnEIPProps{Domain: jsii.String("vpc")})
	s.output("EgressAddress", address.AttrPublicIp())
	return awsec2.NewVpc(scope, jsii.String("Vpc"), &awsec2.VpcProps{
		MaxAzs:                       jsii.Number(2),
		NatGateways:                  jsii.Number(1),
		NatGatewayProvider:           awsec2.NatProvider_Gateway(&awsec2.NatGatewayProps{EipAllocationIds: &[]*string{address.AttrAllocationId()}}),
		RestrictDefaultSecurityGroup: jsii.Bool(false), // nothing uses it, and restricting it would need another function
		GatewayEndpoints: &map[string]*awsec2.GatewayVpcEndpointOptions{
			"Tables": {Service: awsec2.GatewayVpcEndpointAwsService_DYNAMODB()},
		},
		FlowLogs: &map[string]*awsec2.FlowLogOptions{
			"Refused": {
				TrafficType: awsec2.FlowLogTrafficType_REJECT,
				Destination: awsec2.FlowLogDestination_ToCloudWatchLogs(awslogs.LogGroup(newLog(scope)), nil),
			},
		},
	})
}
