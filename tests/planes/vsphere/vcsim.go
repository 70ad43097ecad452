// A vCenter that is none: the simulator of govmomi, with its REST endpoints. And govmomi's own client.
//
//	vcsim HOST:PORT PASSWORD
//	vcsim login HOST:PORT TOKEN        # the same, signed in by a name and the token as the password
//	vcsim client HOST:PORT TOKEN       # looks, switches a machine off and on, sets one up otherwise
//
// Leaves out TLS, which the gate's own tests have.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	_ "github.com/vmware/govmomi/pbm/simulator"
	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

func main() {
	if os.Args[1] == "client" {
		client(os.Args[2], os.Args[3])
		return
	}
	if os.Args[1] == "login" {
		login(os.Args[2], os.Args[3])
		return
	}
	model := simulator.VPX()
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	model.Service.Listen = &url.URL{Host: os.Args[1], User: url.UserPassword("user", os.Args[2])}
	model.Service.RegisterEndpoints = true
	fmt.Println(model.Service.NewServer().URL)
	select {}
}

func client(address, token string) {
	ctx := context.Background()
	at := &url.URL{Scheme: "http", Host: address, Path: "/sdk"}
	wire := soap.NewClient(at, true)
	wire.Jar.SetCookies(at, []*http.Cookie{{Name: "vmware_soap_session", Value: token, Path: "/"}})
	vim, err := vim25.NewClient(ctx, wire)
	if err != nil {
		log.Fatal(err)
	}
	work(ctx, vim)
}

func login(address, password string) {
	ctx := context.Background()
	user := url.UserPassword("Administrator", password)
	at := &url.URL{Scheme: "http", Host: address, Path: "/sdk", User: user}
	signed, err := govmomi.NewClient(ctx, at, true)
	if err != nil {
		log.Fatal(err)
	}
	work(ctx, signed.Client)
	if err := signed.Logout(ctx); err != nil {
		log.Fatal(err)
	}
}

func work(ctx context.Context, vim *vim25.Client) {
	finder := find.NewFinder(vim)
	machine, err := finder.VirtualMachine(ctx, "/DC0/vm/DC0_H0_VM0")
	if err != nil {
		log.Fatal(err)
	}
	tell("found", nil, machine.InventoryPath)
	off, err := machine.PowerOff(ctx)
	wait(ctx, "off", off, err)
	on, err := machine.PowerOn(ctx)
	wait(ctx, "on", on, err)
	spec := types.VirtualMachineConfigSpec{
		NumCPUs:     2,
		ExtraConfig: []types.BaseOptionValue{&types.OptionValue{Key: "team", Value: "a"}},
	}
	made, err := machine.Reconfigure(ctx, spec)
	wait(ctx, "reconfigure", made, err)
}

func wait(ctx context.Context, name string, task *object.Task, err error) {
	if err == nil {
		err = task.Wait(ctx)
	}
	tell(name, err, "done")
}

func tell(name string, err error, value string) {
	if err == nil {
		fmt.Printf("%s: %s\n", name, value)
		return
	}
	if soap.IsSoapFault(err) {
		fmt.Printf("%s: %T: %s\n", name, soap.ToSoapFault(err).VimFault(), err)
		return
	}
	fmt.Printf("%s: %s\n", name, err)
}
