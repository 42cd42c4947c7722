// Asks an external scaler with the client that KEDA itself uses, and prints what it said, a JSON line for each call.
// Usage: keda <host:port> <expert> <metric>
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	connection, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	client := pb.NewExternalScalerClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	object := &pb.ScaledObjectRef{
		Name:           "expert",
		Namespace:      "llm",
		ScalerMetadata: map[string]string{"expert": os.Args[2], "metric": os.Args[3], "target": "2.5"},
	}
	spec, err := client.GetMetricSpec(ctx, object)
	check(err)
	name := spec.MetricSpecs[0].MetricName
	metrics, err := client.GetMetrics(ctx, &pb.GetMetricsRequest{ScaledObjectRef: object, MetricName: name})
	check(err)
	active, err := client.IsActive(ctx, object)
	check(err)
	stream, err := client.StreamIsActive(ctx, object)
	check(err)
	pushed, err := stream.Recv()
	check(err)
	say(map[string]any{
		"metric": name,
		"target": spec.MetricSpecs[0].TargetSizeFloat,
		"value":  metrics.MetricValues[0].MetricValueFloat,
		"active": active.Result,
		"pushed": pushed.Result,
	})
	_, err = client.IsActive(ctx, &pb.ScaledObjectRef{ScalerMetadata: map[string]string{"expert": "nobody"}})
	say(map[string]any{"refused": fmt.Sprint(err)})
}

func say(value any) {
	line, err := json.Marshal(value)
	check(err)
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
