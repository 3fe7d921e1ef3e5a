// Command schema reads a dashboard by Grafana's own types, strictly: it names fields that Grafana
// does not know, and those that it misses. It is a module of its own, and no part of CI, because
// its types take a quarter of a minute to build and change with Grafana, not with us. After a
// change of ../model.go: cd contrib/grafana/schema && go run . ../mailweir.json
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func main() {
	kinds := cog.NewRuntime() // all others would take a minute more to build
	kinds.RegisterPanelcfgVariant(timeseries.VariantConfig())
	kinds.RegisterPanelcfgVariant(stat.VariantConfig())
	kinds.RegisterDataqueryVariant(prometheus.VariantConfig())
	if err := read(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var d dashboard.Dashboard
	err = d.UnmarshalJSONStrict(data)
	var wrong cog.BuildErrors
	if errors.As(err, &wrong) && len(wrong) == 0 {
		return nil // none, in an interface that is not nil
	}
	return err
}
