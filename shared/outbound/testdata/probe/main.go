// Command probe prints, for each URL in its arguments, how a POST to it ended: with the guard that this binary
// was linked with, and nothing that could open it at run time.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"nepenthes/shared/outbound"
)

func main() {
	client := outbound.New(outbound.Options{})
	fmt.Println("loopback", outbound.LinkedLoopback(), "gateway", outbound.LinkedGateway().IsValid())
	for _, url := range os.Args[1:] {
		result := client.Post(context.Background(), outbound.Request{URL: url, Timeout: time.Second})
		fmt.Printf("%s %q\n", url, result.Class)
	}
}
