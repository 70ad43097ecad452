// A vCenter that is none: the simulator of govmomi, with its REST endpoints.
//
//	vcsim HOST:PORT PASSWORD
//
// Leaves out TLS, which the gate's own tests have.
package main

import (
	"fmt"
	"log"
	"net/url"
	"os"

	_ "github.com/vmware/govmomi/pbm/simulator"
	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
)

func main() {
	model := simulator.VPX()
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	model.Service.Listen = &url.URL{Host: os.Args[1], User: url.UserPassword("user", os.Args[2])}
	model.Service.RegisterEndpoints = true
	fmt.Println(model.Service.NewServer().URL)
	select {}
}
